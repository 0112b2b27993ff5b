"""How the error of one month goes together with that of another: the kernel of standardised residuals over time.

Each process is a sum of a level that stays, a yearly and a half-yearly wave of random phase, a first-order
autoregression and independent months. Waves of random phase are stationary, so that hemispheres need no telling apart.
Components are found by moments: mean products of residuals some months apart, by non-negative least squares.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

Array = NDArray[np.float64]

YEAR = 12
COMPONENTS = ("level", "yearly", "half_yearly", "autoregression", "independent")
LAGS = (*range(14), 15, 18, 21, 24, 30, 36, 42, 48, 60, 72)
"""Months apart at which products are looked at: all of a year, and whole and half years beyond it."""
AUTOREGRESSIONS = (0.3, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Correlations of neighbouring months that are tried."""
PAIRS = 12
"""Pairs of months with which a tower's mean product counts half as much as with very many."""
VARIANCE = 8.0
"""How much more the variance counts than the product at one lag."""
EXPECTED = np.array([0.30, 0.20, 0.10, 0.15, 0.25])
"""Shares of the components that few towers are drawn to."""
EXPECTED_TOWERS = 5.0
"""Towers that this expectation counts as."""


class Kernel(NamedTuple):
    """Correlation over time of the processes.

    Parameters
    ----------
    shares
        (process, component) of the variance, in the order of `COMPONENTS`; they sum to 1.
    autoregression
        Correlation of neighbouring months in that component.
    """

    shares: Array
    autoregression: float

    def correlation(self, months: NDArray[np.int64]) -> Array:
        """Correlation of each process between months, (process, month, month), for their numbers on the time axis."""
        apart = np.abs(np.subtract.outer(months, months))
        values: Array = _shapes(apart, self.autoregression) @ self.shares.T
        return np.moveaxis(values, -1, 0)


def fit_kernel(residual: Array, scale: Array, loading: Array, signs: Array, weight: Array) -> Kernel:
    """Fit the components of all processes together to the mean products of the residuals of all fluxes.

    Parameters
    ----------
    residual
        (tower, time, flux), NaN where there is none.
    scale
        (tower, time, flux), by which they are standardised.
    loading
        (tower, time, process) scale of the processes in each month.
    signs
        (flux, process), see ``processes.signs``.
    weight
        (tower,) how much each counts.
    """
    standard = residual / scale
    # months without a prediction have no scale; they have no residual either, and count nothing
    scale, loading = np.where(np.isfinite(scale), scale, 1.0), np.nan_to_num(loading)
    rows, lags, wanted, counts = [], [], [], []
    for lag in (lag for lag in LAGS if lag < residual.shape[1]):
        early, late = slice(residual.shape[1] - lag), slice(lag, None)
        product = standard[:, early] * standard[:, late]
        known = np.isfinite(product)
        pairs = known.sum(1)
        # a tower with few pairs says little about its own mean
        much = weight[:, None] * pairs / (pairs + PAIRS)
        per_pair = (much / np.maximum(pairs, 1))[:, None, :] * known
        total = much.sum(0)
        mean = (per_pair * np.where(known, product, 0.0)).sum((0, 1))
        per_pair /= scale[:, early] * scale[:, late]
        together = np.einsum("ptf,ptc->fc", per_pair, loading[:, early] * loading[:, late])
        for flux in np.flatnonzero(total > 0):
            rows.append(together[flux] * signs[flux] ** 2 / total[flux])
            lags.append(lag)
            wanted.append(mean[flux] / total[flux])
            counts.append(np.sqrt(total[flux] * (VARIANCE if lag == 0 else 1.0)))
    root, apart = np.array(counts), np.array(lags)
    best, found, chosen = np.inf, np.zeros((loading.shape[-1], len(COMPONENTS))), AUTOREGRESSIONS[0]
    for tried in AUTOREGRESSIONS:
        design = np.array(rows)[:, :, None] * _shapes(apart, tried)[:, None, :]
        solved, left = nnls(design.reshape(len(rows), -1) * root[:, None], np.array(wanted) * root)
        if left < best:
            best, found, chosen = left, solved.reshape(found.shape), tried
    total = found.sum(1, keepdims=True)
    shares = np.where(total > 1e-9, found / np.where(total > 1e-9, total, 1.0), EXPECTED)
    towers = float((weight > 0).sum())
    return Kernel((towers * shares + EXPECTED_TOWERS * EXPECTED) / (towers + EXPECTED_TOWERS), chosen)


def _shapes(apart: NDArray[np.int64], autoregression: float) -> Array:
    """Correlation of each component at lags, (…, component)."""
    phase = 2 * np.pi * apart / YEAR
    level = np.ones(apart.shape)
    return np.stack([level, np.cos(phase), np.cos(2 * phase), autoregression**apart, (apart == 0) * 1.0], -1)
