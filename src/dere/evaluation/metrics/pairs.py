"""Complete pairs of observation and prediction, and the moments that scores are made of.

One policy for gaps everywhere: a pair counts where observation and prediction are both finite, the others are
dropped; what the pairs left do not define (none, or a constant observation) is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

# Variances below this share of the mean square are rounding, not signal.
_FLAT = 1e-20


def complete_pairs(observed: ArrayLike, predicted: ArrayLike) -> tuple[Array, Array]:
    """Both arrays in float64, broadcast, NaN wherever one of the two is not finite."""
    o, p = np.broadcast_arrays(np.asarray(observed, float), np.asarray(predicted, float))
    complete = np.isfinite(o) & np.isfinite(p)
    return np.where(complete, o, np.nan), np.where(complete, p, np.nan)


@dataclass(frozen=True)
class Pairs:
    """Complete pairs along the last axis and what several scores share; made by ``pairs_of``.

    Every moment is computed once, when it is first asked for. Those that divide are NaN or infinite where the pairs do
    not define them; ``dere.evaluation.metrics.scores`` silences the warnings.

    Parameters
    ----------
    observed, predicted
        (..., n), NaN where one of the two is not finite.
    """

    observed: Array
    predicted: Array

    def mean(self, values: Array) -> Array:
        """Mean over the complete pairs, (..., n) to (...); NaN without a pair."""
        return np.where(self.present, values, 0.0).sum(-1) / np.where(self.count > 0, self.count, np.nan)

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """Where a pair is complete, (..., n)."""
        return np.isfinite(self.observed)

    @cached_property
    def count(self) -> Array:
        """Number of complete pairs, (...)."""
        return self.present.sum(-1).astype(float)

    @cached_property
    def mean_observed(self) -> Array:
        """Mean of the observation, (...)."""
        return self.mean(self.observed)

    @cached_property
    def mean_predicted(self) -> Array:
        """Mean of the prediction, (...)."""
        return self.mean(self.predicted)

    @cached_property
    def variance_observed(self) -> Array:
        """Variance of the observation with divisor n, (...); NaN where it is constant, because scores divide by it."""
        variance = self._variance(self.observed, self.mean_observed)
        return np.where(variance > 0, variance, np.nan)

    @cached_property
    def variance_predicted(self) -> Array:
        """Variance of the prediction with divisor n, (...)."""
        return self._variance(self.predicted, self.mean_predicted)

    @cached_property
    def mean_square_error(self) -> Array:
        """Mean square of predicted minus observed, (...)."""
        return self.mean((self.predicted - self.observed) ** 2)

    @cached_property
    def correlation(self) -> Array:
        """Pearson correlation, (...); NaN where one of the two is constant."""
        anomaly_o = self.observed - self.mean_observed[..., None]
        anomaly_p = self.predicted - self.mean_predicted[..., None]
        covariance = self.mean(anomaly_o * anomaly_p)
        varies = np.where(self.variance_predicted > 0, self.variance_predicted, np.nan)
        return np.clip(covariance / np.sqrt(self.variance_observed * varies), -1.0, 1.0)

    @cached_property
    def deviation_ratio(self) -> Array:
        """Standard deviation of the prediction over that of the observation, (...)."""
        return np.sqrt(self.variance_predicted / self.variance_observed)

    def _variance(self, values: Array, mean: Array) -> Array:
        variance = self.mean((values - mean[..., None]) ** 2)
        return np.where(variance <= _FLAT * self.mean(values**2), 0.0 * variance, variance)


def pairs_of(observed: ArrayLike, predicted: ArrayLike) -> Pairs:
    """Complete pairs of two arrays (..., n) that are broadcast against each other."""
    return Pairs(*complete_pairs(observed, predicted))
