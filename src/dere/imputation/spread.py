"""Hiding months of towers, and the spread of trajectories that suits the hidden ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dere.config.imputation import ImputationConfig
from dere.crps import crps
from dere.imputation.batches import RECO, random_stretch
from dere.imputation.bundle import Imputer
from dere.imputation.masks import KINDS, NEE_ALONE, GapStatistics, draw_mask
from dere.imputation.sampling import trajectories
from dere.imputation.series import Series
from dere.imputation.stretches import Request


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


def best_spread(imputer: Imputer, series: Series, point: NDArray, gaps: GapStatistics, seed: int) -> float:
    """Factor on the spread with the least CRPS of NEE and RECO at hidden values of ``series``, from 0.6 to 1.8."""
    hidden = hide(series, gaps, imputer.config, seed)
    device = str(imputer.spread.device)
    imputer.spread.fill_(1.0)
    drawn = trajectories(imputer, series, point, [h.request for h in hidden], 30, seed, device, salt="spread")
    factors = np.linspace(0.6, 1.8, 25)
    total = np.zeros(len(factors))
    for item, value in zip(hidden, drawn, strict=True):
        s = item.request.stretch
        flux = series.flux[s.site, s.start : s.stop]
        target = np.isfinite(flux) & ~item.request.known
        samples, truth = value[:, target], flux[target]
        middle = samples.mean(0)
        total += [crps(middle + f * (samples - middle), truth).sum() for f in factors]
    return float(factors[int(total.argmin())])
