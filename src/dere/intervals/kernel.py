"""How the error of one month goes together with that of another: the kernel of standardised residuals over time.

Each process is a sum of a level that stays, a yearly and a half-yearly wave of random phase, a first-order
autoregression and independent months. Waves of random phase are stationary, so that hemispheres need no telling apart.
Where fluxes hardly have a season, as in the wet tropics, neither have their errors: there waves are level in part.
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
WAVES = slice(1, 3)
"""The two waves among them."""
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

    def correlation(self, months: NDArray[np.int64], waves: float = 1.0) -> Array:
        """Correlation of each process between months, (process, month, month), for their numbers on the time axis.

        ``waves`` is the share of the two waves that is one, see `season_share`; the rest of them is level.
        """
        apart = np.abs(np.subtract.outer(months, months))
        shapes = _shapes(apart, self.autoregression)
        shapes[..., WAVES] = waves * shapes[..., WAVES] + (1.0 - waves)
        values: Array = shapes @ self.shares.T
        return np.moveaxis(values, -1, 0)

    def mixed(self, waves: Array) -> Array:
        """Shares (place, process, component) at places of which ``waves`` (place,) is the share of waves."""
        found = np.repeat(self.shares[None], len(waves), 0)
        kept = found[..., WAVES] * waves[:, None, None]
        found[..., 0] += (found[..., WAVES] - kept).sum(-1)
        found[..., WAVES] = kept
        return found


def seasonality(scale: Array) -> Array:
    """Coefficient of variation of the mean annual cycle of the errors' scale, (place,).

    Parameters
    ----------
    scale
        (place, month, flux) of a whole record; NaN outside it.
    """
    size = scale.mean(-1)
    cycle = np.stack([_mean(size[:, start::YEAR]) for start in range(YEAR)], 1)
    known = np.isfinite(cycle)
    mean = np.where(known, cycle, 0.0).sum(1) / np.maximum(known.sum(1), 1)
    square = np.where(known, (cycle - mean[:, None]) ** 2, 0.0).sum(1) / np.maximum(known.sum(1), 1)
    found: Array = np.sqrt(square) / np.maximum(mean, 1e-12)
    return found


def season_share(own: Array, usual: float) -> Array:
    """Share (place,) of the waves that is one: all where fluxes are as seasonal as at the usual tower, none without."""
    return np.minimum(1.0, (own / usual) ** 2) if usual > 0 else np.ones(len(own))


def _mean(values: Array) -> Array:
    """Mean over the last axis of what is there."""
    known = np.isfinite(values)
    found: Array = np.where(known, values, 0.0).sum(-1) / np.where(known.any(-1), known.sum(-1), np.nan)
    return found


def fit_kernel(
    residual: Array, scale: Array, loading: Array, signs: Array, weight: Array, waves: Array | None = None
) -> Kernel:
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
    waves
        (tower,) from `season_share`; None = all of them.
    """
    share = np.ones(len(residual)) if waves is None else waves
    standard = residual / scale
    # months without a prediction have no scale; they have no residual either, and count nothing
    scale, loading = np.where(np.isfinite(scale), scale, 1.0), np.nan_to_num(loading)
    rows, still, lags, wanted, counts = [], [], [], [], []
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
        of_tower = np.einsum("ptf,ptc->pfc", per_pair, loading[:, early] * loading[:, late])
        together, resting = of_tower.sum(0), np.einsum("p,pfc->fc", 1.0 - share, of_tower)
        for flux in np.flatnonzero(total > 0):
            rows.append(together[flux] * signs[flux] ** 2 / total[flux])
            still.append(resting[flux] * signs[flux] ** 2 / total[flux])
            lags.append(lag)
            wanted.append(mean[flux] / total[flux])
            counts.append(np.sqrt(total[flux] * (VARIANCE if lag == 0 else 1.0)))
    root, apart = np.array(counts), np.array(lags)
    best, found, chosen = np.inf, np.zeros((loading.shape[-1], len(COMPONENTS))), AUTOREGRESSIONS[0]
    for tried in AUTOREGRESSIONS:
        shapes = _shapes(apart, tried)[:, None, :]
        design = np.array(rows)[:, :, None] * shapes
        # waves of places without a season are level
        design[..., WAVES] += np.array(still)[:, :, None] * (1.0 - shapes[..., WAVES])
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
