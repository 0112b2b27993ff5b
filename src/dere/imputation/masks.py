"""Training masks that imitate the gaps of towers.

Hidden months exist only in training and scoring; when labels are made, every observation conditions
(docs/deviations.md#imputation). Kinds of gaps and their default shares: whole site .25, whole years .2, a season of
most years .2, first or last half-year to two years .15, another tower's gaps .15, scattered months .05.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dere.config.imputation import MaskConfig

KINDS = ("site", "years", "season", "edge", "pattern", "scattered")
NEE_ALONE = "nee_alone"
"""All RECO of a tower, NEE being known: no gap that is drawn, but one that is scored."""


@dataclass(frozen=True)
class GapStatistics:
    """Gap statistics of the training towers.

    Parameters
    ----------
    missing_share
        Share of record months without usable label by local calendar month (0 = January in the north), (12,).
    run_lengths
        Lengths in months of the gaps inside records.
    patterns
        Per tower with gaps: true where observed or outside the observed stretch, whole years from a local January on.
    """

    missing_share: NDArray[np.float64]
    run_lengths: NDArray[np.int64]
    patterns: tuple[NDArray[np.bool_], ...]


def gap_statistics(observed: NDArray[np.bool_], span: NDArray[np.bool_], phase: NDArray) -> GapStatistics:
    """Statistics of the gaps between the first and the last observed month of each tower.

    Parameters
    ----------
    observed, span, phase
        Shape (site, time); see `dere.imputation.series.Series`.
    """
    missing, total = np.ones(12), np.full(12, 20.0)
    runs: list[int] = []
    patterns = []
    for seen, inside, local in zip(observed, span, phase, strict=True):
        where = np.flatnonzero(seen)
        if not len(where):
            continue
        first, last = where[0], where[-1] + 1
        gap = ~seen[first:last] & inside[first:last]
        np.add.at(total, local[first:last], 1.0)
        np.add.at(missing, local[first:last][gap], 1.0)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], gap.astype(int), [0]])))
        runs.extend((edges[1::2] - edges[::2]).tolist())
        if gap.any():
            lead, tail = int(local[first]), -(int(local[first]) + last - first) % 12
            patterns.append(np.concatenate([np.ones(lead, bool), seen[first:last], np.ones(tail, bool)]))
    return GapStatistics(missing / total, np.array(runs or [3, 6], np.int64), tuple(patterns))


def draw_kind(config: MaskConfig, rng: np.random.Generator) -> str:
    """Draw a kind of gap from the mixture.

    Raises
    ------
    ValueError
        When every share is zero.
    """
    shares = np.array([getattr(config, kind) for kind in KINDS])
    if shares.sum() <= 0:
        raise ValueError("imputation.masks: all shares are 0; give at least one kind of gap a positive share")
    return KINDS[int(rng.choice(len(KINDS), p=shares / shares.sum()))]


def draw_mask(
    kind: str, observed: NDArray[np.bool_], phase: NDArray, statistics: GapStatistics, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Hide observed months.

    Parameters
    ----------
    kind
        One of `KINDS`.
    observed, phase
        Shape (L,) of one stretch of one site.

    Returns
    -------
    array
        True at hidden months, a subset of ``observed``, never empty where anything is observed. All kinds except
        "site" leave at least one month where two or more are observed.
    """
    where = np.flatnonzero(observed)
    if not len(where):
        return np.zeros_like(observed)
    if kind == "site":
        return observed.copy()
    hidden = observed & _candidate(kind, observed, phase, statistics, rng)
    if not hidden.any():
        hidden = observed & (rng.random(len(observed)) < 0.2)
    if not hidden.any():
        hidden[rng.choice(where)] = True
    if (hidden == observed).all() and len(where) > 1:
        keep = rng.choice(where, max(1, min(6, len(where) // 2)), replace=False)
        hidden[keep] = False
    return hidden


def _candidate(
    kind: str, observed: NDArray[np.bool_], phase: NDArray, statistics: GapStatistics, rng: np.random.Generator
) -> NDArray[np.bool_]:
    where = np.flatnonzero(observed)
    length = len(observed)
    index = np.arange(length)
    year = (index + int(phase[0])) // 12
    if kind == "years":
        years = np.unique(year[where])
        count = int(rng.integers(1, max(2, len(years))))
        if rng.random() < 0.5:
            first = int(rng.integers(0, len(years) - count + 1))
            chosen = years[first : first + count]
        else:
            chosen = rng.choice(years, count, replace=False)
        return np.isin(year, chosen)
    if kind == "season":
        start = int(rng.choice(12, p=statistics.missing_share / statistics.missing_share.sum()))
        run = int(np.clip(rng.choice(statistics.run_lengths), 2, 7))
        inside = (phase - start + run // 2) % 12 < run
        gone = rng.random(year.max() + 1) < rng.uniform(0.4, 1.0)
        return inside & gone[year]
    if kind == "edge":
        run = int(rng.choice([6, 12, 18, 24]))
        if rng.random() < 0.5:
            return index < where[0] + run
        return index > where[-1] - run
    if kind == "pattern" and statistics.patterns:
        pattern = statistics.patterns[int(rng.integers(len(statistics.patterns)))]
        offset = int(phase[0]) + 12 * int(rng.integers(0, len(pattern) // 12))
        return ~pattern[(offset + index) % len(pattern)]
    return rng.random(length) < rng.uniform(0.05, 0.4)
