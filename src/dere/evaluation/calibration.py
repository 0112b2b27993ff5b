"""``calibration.csv``: whether intervals hold what they promise at unseen towers (docs/tables.md#calibrationcsv)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.evaluation.bootstrap import resampled_mean
from dere.evaluation.probabilistic import PIT
from dere.evaluation.resampling import resample_clusters
from dere.evaluation.runs import ENSEMBLE, POOLED
from dere.evaluation.site_scores import IDENTITY
from dere.evaluation.tower_coverage import COVERAGES, MEANS, WIDTHS

WHOLE = "all"
MAP = "map"
"""Cells of the public maps, which are of all folds and seeds."""
PARTS = ("igbp", "season", "distance")
"""By what towers and months are told apart beside all of them together."""
FIFTHS = ("1 nearest", "2", "3", "4", "5 farthest")
FEWEST = 0.7
"""Coverage of 90 % intervals below which a tower counts as badly covered."""
KEY = (*IDENTITY, "grouping", "part", "group", "scale", "flux")
COLUMNS = (
    *KEY,
    "sites",
    "periods",
    *COVERAGES,
    "coverage_90_low",
    "coverage_90_high",
    "coverage_90_tower_q25",
    "towers_below_70",
    *WIDTHS,
    "spread_error",
    "crps",
    *PIT,
)


def calibration(towers: pd.DataFrame, resamples: int = 0, seed: int = 0) -> pd.DataFrame:
    """Table from the rows of towers of all files: every file by itself, and rows ``fold = all, seed = all``.

    Towers count alike, however long their records are and in however many files they are judged: a tower's files are
    averaged first. ``sites`` and ``periods`` count each tower once. Parts (classes, seasons, fifths of the distance in
    driver space) are of all files together. Files of averaged seeds and folds have rows of their own and are in no
    pooled one.

    Parameters
    ----------
    towers
        From `dere.evaluation.tower_coverage.tower_coverage`, of all files.
    resamples
        Resamples of clusters for ``coverage_90_low`` and ``coverage_90_high`` of the pooled rows; 0 = none.
    seed
        Of the resamples.

    Returns
    -------
    DataFrame
        Columns ``COLUMNS``.
    """
    if towers.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    whole = towers[(towers["season"] == WHOLE) & (towers["grouping"] != MAP)].assign(part=WHOLE, group=WHOLE)
    runs = towers[((towers["fold"] != POOLED) & (towers["seed"] != ENSEMBLE)) | (towers["grouping"] == MAP)]
    together = pd.concat([_grouped(runs, part) for part in (WHOLE, *PARTS)], ignore_index=True)
    by_site = together.assign(fold=POOLED, seed=POOLED).groupby([*KEY, "site"], sort=False)
    averaged = by_site[list(MEANS)].mean().join(by_site[["periods"]].max()).join(by_site[["cluster"]].first())
    pooled = _table(averaged.reset_index())
    intervals = _intervals(averaged, resamples, seed)
    for name in ("coverage_90_low", "coverage_90_high"):
        pooled[name] = [intervals.get(key, {}).get(name, np.nan) for key in pooled[list(KEY)].itertuples(index=False)]
    return pd.concat([_table(whole), pooled], ignore_index=True).reindex(columns=list(COLUMNS))


def _grouped(towers: pd.DataFrame, part: str) -> pd.DataFrame:
    """Rows of towers with ``part`` and ``group``."""
    if part == "season":
        own = towers[towers["season"] != WHOLE]
        return own.assign(part=part, group=own["season"])
    own = towers[towers["season"] == WHOLE]
    if part == WHOLE:
        return own.assign(part=part, group=WHOLE)
    if part == "igbp":
        own = own[own["igbp"] != ""]
        return own.assign(part=part, group=own["igbp"])
    own = own[own["distance"].notna()]
    key = ["method", "backbone", "grouping", "scale", "flux"]
    rank = own.groupby(key)["distance"].rank(method="first", pct=True)
    fifth = np.clip(np.ceil(rank.to_numpy() * len(FIFTHS)).astype(int), 1, len(FIFTHS)) - 1
    return own.assign(part=part, group=np.asarray(FIFTHS)[fifth])


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Means over the towers of each group, of one row per tower."""
    # comparisons with nothing are nothing
    below = (rows["coverage_90"] < FEWEST).astype(float).where(rows["coverage_90"].notna())
    groups = rows.assign(towers_below_70=below).groupby(list(KEY), sort=False)
    means = [*COVERAGES, *WIDTHS, "crps", *PIT, "towers_below_70", "square_spread", "square_error"]
    found = groups[means].mean()
    found["sites"], found["periods"] = groups.size(), groups["periods"].sum()
    found["coverage_90_tower_q25"] = groups["coverage_90"].quantile(0.25)
    # a single forecast has no ratio, and 0 would read as a bad one
    has_ratio = (found["square_spread"] > 0) & (found["square_error"] > 0)
    ratio = found["square_spread"] / found["square_error"].where(has_ratio)
    return found.assign(spread_error=np.sqrt(ratio)).reset_index()


def _intervals(averaged: pd.DataFrame, resamples: int, seed: int) -> dict[tuple[object, ...], dict[str, float]]:
    """Interval of the mean coverage over clusters of towers, by group; groups of one cluster have none."""
    found: dict[tuple[object, ...], dict[str, float]] = {}
    if not resamples:
        return found
    # methods and scales share their towers, and so the resamples
    drawn: dict[tuple[str, ...], NDArray[np.int64]] = {}
    known = averaged[averaged["coverage_90"].notna()]
    for key, rows in known.groupby(list(KEY), sort=False):
        clusters = rows["cluster"].to_numpy(str)
        if len(np.unique(clusters)) < 2:
            continue
        own = tuple(clusters.tolist())
        if own not in drawn:
            drawn[own] = resample_clusters(clusters, resamples, np.random.default_rng(seed))
        means = resampled_mean(rows["coverage_90"].to_numpy(float), drawn[own])
        low, high = np.quantile(means, (0.025, 0.975))
        found[tuple(key)] = {"coverage_90_low": float(low), "coverage_90_high": float(high)}
    return found
