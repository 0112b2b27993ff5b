"""Scores of predictions against observations; pure functions along the last axis.

One policy for gaps everywhere: a pair counts where observation and prediction are both finite, the others are
dropped; a score that is not defined by the pairs left (none, or a constant observation) is NaN.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

# Variances below this share of the mean square are rounding, not signal.
_FLAT = 1e-20


class Moments(NamedTuple):
    """Moments of the complete pairs along the last axis; NaN without a pair."""

    pairs: Array
    mean_observed: Array
    mean_predicted: Array
    variance_observed: Array
    variance_predicted: Array
    covariance: Array
    mean_square_error: Array


def complete_pairs(observed: ArrayLike, predicted: ArrayLike) -> tuple[Array, Array]:
    """Both arrays in float64, broadcast, NaN wherever one of the two is not finite."""
    o, p = np.broadcast_arrays(np.asarray(observed, float), np.asarray(predicted, float))
    complete = np.isfinite(o) & np.isfinite(p)
    return np.where(complete, o, np.nan), np.where(complete, p, np.nan)


def moments(observed: ArrayLike, predicted: ArrayLike) -> Moments:
    """Means, variances (divisor n), covariance and mean square error of the complete pairs."""
    o, p = complete_pairs(observed, predicted)
    present = np.isfinite(o)
    count = present.sum(-1).astype(float)
    divisor = np.where(count > 0, count, np.nan)

    def mean(values: Array) -> Array:
        return np.where(present, values, 0.0).sum(-1) / divisor

    mean_o, mean_p = mean(o), mean(p)
    anomaly_o, anomaly_p = o - mean_o[..., None], p - mean_p[..., None]
    return Moments(
        count,
        mean_o,
        mean_p,
        _without_rounding(mean(anomaly_o**2), mean(o**2)),
        _without_rounding(mean(anomaly_p**2), mean(p**2)),
        mean(anomaly_o * anomaly_p),
        mean((p - o) ** 2),
    )


def nse(observed: ArrayLike, predicted: ArrayLike) -> Array:
    """Nash-Sutcliffe efficiency 1 - sum (o-p)^2 / sum (o - mean o)^2; NaN for a constant observation."""
    return scores(observed, predicted)["nse"]


def rmse(observed: ArrayLike, predicted: ArrayLike) -> Array:
    """Root mean square error, in the unit of the input."""
    return scores(observed, predicted)["rmse"]


def bias(observed: ArrayLike, predicted: ArrayLike) -> Array:
    """Mean of predicted minus observed."""
    return scores(observed, predicted)["bias"]


def mae(observed: ArrayLike, predicted: ArrayLike) -> Array:
    """Mean absolute error."""
    return scores(observed, predicted)["mae"]


def r2(observed: ArrayLike, predicted: ArrayLike) -> Array:
    """Squared Pearson correlation, between 0 and 1 (the NSE form that others call R2 is ``nse``)."""
    return scores(observed, predicted)["r2"]


def sigma_ratio(observed: ArrayLike, predicted: ArrayLike) -> Array:
    """Standard deviation of the prediction over that of the observation."""
    return scores(observed, predicted)["sigma_ratio"]


def kge(observed: ArrayLike, predicted: ArrayLike) -> Array:
    """Kling-Gupta efficiency (Gupta and others 2009): 1 - distance of (r, sigma ratio, mean ratio) from (1, 1, 1).

    The mean ratio makes it unstable where the observed mean is near zero, as for NEE.
    """
    return scores(observed, predicted)["kge"]


def scores(observed: ArrayLike, predicted: ArrayLike) -> dict[str, Array]:
    """All deterministic scores along the last axis.

    Parameters
    ----------
    observed, predicted
        (..., n), broadcast against each other; pairs with a value that is not finite are dropped.

    Returns
    -------
    dict
        ``rmse, nse, r2, bias, mae, sigma_ratio, kge``, each (...), and ``pairs``, the number of complete pairs.
    """
    o, p = complete_pairs(observed, predicted)
    m = moments(o, p)
    present = np.isfinite(o)
    absolute = np.where(present, np.abs(p - o), 0.0).sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        varies_o = np.where(m.variance_observed > 0, m.variance_observed, np.nan)
        varies_p = np.where(m.variance_predicted > 0, m.variance_predicted, np.nan)
        correlation = np.clip(m.covariance / np.sqrt(varies_o * varies_p), -1.0, 1.0)
        ratio = np.sqrt(m.variance_predicted / varies_o)
        mean_ratio = np.where(m.mean_observed != 0, m.mean_predicted / m.mean_observed, np.nan)
        return {
            "rmse": np.sqrt(m.mean_square_error),
            "nse": 1.0 - m.mean_square_error / varies_o,
            "r2": correlation**2,
            "bias": m.mean_predicted - m.mean_observed,
            "mae": absolute / np.where(m.pairs > 0, m.pairs, np.nan),
            "sigma_ratio": ratio,
            "kge": 1.0 - np.sqrt((correlation - 1) ** 2 + (ratio - 1) ** 2 + (mean_ratio - 1) ** 2),
            "pairs": m.pairs,
        }


def _without_rounding(variance: Array, mean_square: Array) -> Array:
    return np.where(variance <= _FLAT * mean_square, 0.0 * variance, variance)
