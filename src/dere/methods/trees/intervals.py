"""Intervals of a point model from its held-out residuals: the baseline that any diffusion has to beat.

The spread depends on the predicted GPP (errors grow with the size of the fluxes); the shape is that of the
standardised residuals. Residuals come from towers that the model had not seen, and every tower counts alike, because
the tower is what is exchangeable.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dere.variables import QUANTILES

Array = NDArray[np.float64]

_BINS = 8


@dataclass(frozen=True)
class ResidualIntervals:
    """Spread as a function of predicted GPP, and quantiles of the standardised residuals.

    Parameters
    ----------
    knots
        (bin,) predicted GPP at the centre of each bin.
    spread
        (bin,) root mean square residual there.
    quantiles
        (level,) of the standardised residuals at ``QUANTILES``.
    """

    knots: Array
    spread: Array
    quantiles: Array

    def std(self, gpp: Array) -> Array:
        """Standard deviation at a predicted GPP, interpolated, constant beyond the outer bins."""
        return np.interp(gpp, self.knots, self.spread)

    def quantile_values(self, mean: Array, gpp: Array) -> Array:
        """Quantiles at ``QUANTILES`` around ``mean``, (..., level)."""
        return mean[..., None] + self.std(gpp)[..., None] * self.quantiles


def fit_intervals(residual: Array, gpp: Array, site: NDArray[np.int64]) -> ResidualIntervals:
    """Fit to held-out residuals.

    Parameters
    ----------
    residual
        (row,) observed minus predicted.
    gpp
        (row,) held-out predicted GPP.
    site
        (row,) integer code of the tower.
    """
    count = np.bincount(site)
    weight = 1.0 / count[site]
    edges = np.quantile(gpp, np.linspace(0, 1, min(_BINS, max(len(gpp) // 20, 1)) + 1))
    member = np.clip(np.searchsorted(edges, gpp, side="right") - 1, 0, len(edges) - 2)
    total = np.bincount(member, weight, minlength=len(edges) - 1)
    filled = total > 0
    square = np.bincount(member, weight * residual**2, minlength=len(total))[filled] / total[filled]
    knots = np.bincount(member, weight * gpp, minlength=len(total))[filled] / total[filled]
    spread = np.sqrt(np.maximum(square, 1e-12))
    standard = residual / np.interp(gpp, knots, spread)
    order = np.argsort(standard, kind="stable")
    position = (np.cumsum(weight[order]) - 0.5 * weight[order]) / weight.sum()
    return ResidualIntervals(knots, spread, np.interp(QUANTILES, position, standard[order]))
