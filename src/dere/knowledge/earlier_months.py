"""Earlier months of monthly series, and one rule for those before the axis: its first year stands in for them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

YEAR = 12


def lagged(series: NDArray, lag: int) -> NDArray:
    """Values ``lag`` months earlier; before the axis, the same calendar months of its first year stand in."""
    return _with_year_before(series)[:, YEAR - lag : YEAR - lag + series.shape[1]]


def running_mean(series: NDArray, length: int) -> NDArray:
    """Mean over the ``length`` <= 12 months that end with each month, of the finite values."""
    extended = _with_year_before(series)
    finite = np.isfinite(extended)
    total = np.cumsum(np.where(finite, extended, 0.0), axis=1)
    count = np.cumsum(finite, axis=1)
    end = np.arange(YEAR, extended.shape[1])
    number = count[:, end] - count[:, end - length]
    return (total[:, end] - total[:, end - length]) / np.where(number > 0, number, np.nan)


def _with_year_before(series: NDArray) -> NDArray:
    if series.shape[1] < YEAR:
        raise ValueError(f"the time axis has {series.shape[1]} months, at least {YEAR} are needed for lags and means")
    return np.concatenate([series[:, :YEAR], series], axis=1).astype(np.float64)
