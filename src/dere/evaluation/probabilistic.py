"""Scores of predictive distributions: CRPS in two forms, interval coverage, spread against error.

Gaps as in ``metrics``: a value that is not finite in the observation or the prediction gives NaN in pointwise scores
and is dropped from averages.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

Array = NDArray[np.float64]

BINS = 10
"""Bins of the probability integral transform."""
PIT = tuple(f"pit_{number}" for number in range(1, BINS + 1))
"""Columns of their shares."""


def crps_gaussian(mean: ArrayLike, std: ArrayLike, observed: ArrayLike) -> Array:
    """CRPS of a Gaussian (closed form, Gneiting and Raftery 2007, eq. 21); |mean - observed| where std is 0."""
    mean, std, observed = (np.asarray(v, float) for v in (mean, std, observed))
    safe = np.where(std > 0, std, 1.0)
    z = (observed - mean) / safe
    density = np.exp(-(z**2) / 2.0) / np.sqrt(2 * np.pi)
    value = safe * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi))
    return np.where(std > 0, value, np.where(std == 0, np.abs(observed - mean), np.nan))


def pinball(levels: ArrayLike, quantiles: ArrayLike, observed: ArrayLike) -> Array:
    """Pinball loss of each quantile, (..., q) for ``quantiles`` (..., q) at ``levels`` (q,) and ``observed`` (...)."""
    error = np.asarray(observed, float)[..., None] - np.asarray(quantiles, float)
    levels = np.asarray(levels, float)
    return np.maximum(levels * error, (levels - 1) * error)


def crps_quantiles(levels: ArrayLike, quantiles: ArrayLike, observed: ArrayLike) -> Array:
    """CRPS as twice the pinball loss integrated over the levels.

    Each level stands for the probabilities nearer to it than to its neighbours, so that uneven levels count by the
    probability they cover; with many levels this is the ordinary CRPS. Compare only methods of equal levels.

    Parameters
    ----------
    levels
        (q,), rising within (0, 1).
    quantiles
        (..., q).
    observed
        (...).

    Raises
    ------
    ValueError
        When the levels do not rise within (0, 1).
    """
    tau = np.asarray(levels, float)
    if tau.ndim != 1 or (np.diff(tau) <= 0).any() or tau[0] <= 0 or tau[-1] >= 1:
        raise ValueError(
            f"quantile levels are {tau.tolist()}, but must rise strictly within (0, 1); sort and correct them"
        )
    edges = np.concatenate([[0.0], (tau[1:] + tau[:-1]) / 2, [1.0]])
    return 2.0 * (pinball(tau, quantiles, observed) * np.diff(edges)).sum(-1)


def coverage(lower: ArrayLike, upper: ArrayLike, observed: ArrayLike, axis: int | None = None) -> Array:
    """Share of the observations within [lower, upper]; incomplete triples are dropped, NaN if none is left."""
    lower, upper, observed = np.broadcast_arrays(*(np.asarray(v, float) for v in (lower, upper, observed)))
    complete = np.isfinite(lower) & np.isfinite(upper) & np.isfinite(observed)
    inside = complete & (observed >= lower) & (observed <= upper)
    count = complete.sum(axis)
    return inside.sum(axis) / np.where(count > 0, count, np.nan)


def spread_error_ratio(std: ArrayLike, error: ArrayLike, members: int | None = None) -> float:
    """Root mean square spread over root mean square error; 1 for a reliable forecast.

    NaN without any error, and without any spread: a single forecast has no ratio, and 0 would read as a bad one.

    Parameters
    ----------
    std, error
        Equal shapes; incomplete pairs are dropped.
    members
        Size of the ensemble the spread comes from; corrects by sqrt((m + 1) / m).
    """
    std, error = np.broadcast_arrays(np.asarray(std, float), np.asarray(error, float))
    complete = np.isfinite(std) & np.isfinite(error)
    square_spread, square_error = (float((values[complete] ** 2).sum()) for values in (std, error))
    if square_spread == 0 or square_error == 0:
        return float("nan")
    factor = 1.0 if members is None else (members + 1) / members
    return float(np.sqrt(factor * square_spread / square_error))
