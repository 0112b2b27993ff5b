"""Hiding months of towers, and the spread of trajectories that suits the hidden ones, by kind of gap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dere.config.imputation import ImputationConfig
from dere.imputation.batches import RECO, random_stretch
from dere.imputation.bundle import Imputer
from dere.imputation.gap_kinds import GAPS, gap_kinds
from dere.imputation.masks import KINDS, NEE_ALONE, GapStatistics, draw_mask
from dere.imputation.sampling import trajectories
from dere.imputation.series import Series, hidden_fluxes, with_gpp
from dere.imputation.stretches import Request

LEVEL = 0.9
"""Interval whose coverage the spread is to have."""
SAMPLES = 20
LIMITS = 0.6, 1.8
"""Least and largest factor."""
DOUBTED = 36.0
"""Towers that having no need of a factor counts as: from n towers whose months err alike its logarithm has an error of
.9 / sqrt(n), and what is looked for is of the order of .15."""


@dataclass(frozen=True)
class Hidden:
    """A masked tower: request and the kind of gap."""

    request: Request
    kind: str


def hide(series: Series, gaps: GapStatistics, config: ImputationConfig, seed: int, alone: bool = False) -> list[Hidden]:
    """Mask every tower with every kind of gap, once each; with ``alone`` also all its RECO, NEE being kept."""
    rng = np.random.default_rng(seed + 7919)
    out = []
    for site in np.flatnonzero(series.observed.any(1)):
        for kind in KINDS:
            stretch = random_stretch(series, int(site), config.window, rng)
            at = site, slice(stretch.start, stretch.stop)
            mask = draw_mask(kind, series.observed[at], series.phase[at], gaps, rng)
            # as when labels are made, everything that is not known is generated
            out.append(Hidden(Request(stretch, series.known[at] & ~mask[:, None]), kind))
        if alone and series.complete[site].any():
            stretch = random_stretch(series, int(site), config.window, rng)
            known = series.known[site, stretch.start : stretch.stop].copy()
            known[:, RECO] = False
            out.append(Hidden(Request(stretch, known), NEE_ALONE))
    return out


def spread_factors(
    imputer: Imputer, series: Series, point: NDArray, gaps: GapStatistics, seed: int
) -> NDArray[np.float64]:
    """Factor on the spread for each kind of gap, (`GAPS`,), with which 90 % intervals hold 90 % of hidden values.

    A value's score is the factor at which the interval just reaches it; the factor of a kind is the quantile of the
    scores (conformal prediction: Lei et al. 2018, doi:10.1080/01621459.2017.1307116), each tower counting once. Towers
    are few: the logarithm of the factor is drawn to nothing as if `DOUBTED` towers had no need of one.

    Parameters
    ----------
    series, point
        Towers whose months no weight saw, and the point model's predictions of them.
    """
    config = imputer.config
    # masks and noise of their own: what the imputation is scored on has others
    alone = bool((series.observed & ~series.complete).any())
    hidden = hide(series, gaps, config, seed + 1, alone)
    device = str(imputer.spread.device)
    before = imputer.spread.clone()
    imputer.spread.fill_(1.0)
    drawn = trajectories(imputer, series, point, [h.request for h in hidden], SAMPLES, seed, device, salt="spread")
    imputer.spread.copy_(before)
    kinds, sites, scores = [], [], []
    for item, value in zip(hidden, drawn, strict=True):
        s = item.request.stretch
        at = s.site, slice(s.start, s.stop)
        known, flux = item.request.known, series.flux[at]
        month, component = np.nonzero(hidden_fluxes(np.isfinite(flux) & ~known, series.complete[at]))
        kinds.append(gap_kinds(known)[month])
        sites.append(np.full(len(month), s.site))
        scores.append(needed(with_gpp(value)[:, month, component], with_gpp(flux)[month, component]))
    kind, site, score = (np.concatenate(parts) for parts in (kinds, sites, scores))
    return np.array([_factor(site[kind == one], score[kind == one]) for one in range(len(GAPS))])


def needed(samples: NDArray, truth: NDArray) -> NDArray[np.float64]:
    """Factor (value,) on the spread at which the interval of `LEVEL` just reaches the truth, from (sample, value)."""
    middle = samples.mean(0)
    low, high = np.quantile(samples, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0, method="weibull")
    half = np.where(truth > middle, high - middle, middle - low)
    return np.abs(truth - middle) / np.maximum(half, 1e-9)


def _factor(site: NDArray[np.int64], score: NDArray[np.float64]) -> float:
    if not len(site):
        return 1.0
    order = np.argsort(score, kind="stable")
    share = (1.0 / np.bincount(site)[site])[order]
    reached = np.cumsum(share) / share.sum()
    best = score[order][min(int(np.searchsorted(reached, LEVEL)), len(order) - 1)]
    towers = len(np.unique(site))
    return float(np.exp(np.log(np.clip(best, *LIMITS)) * towers / (towers + DOUBTED)))
