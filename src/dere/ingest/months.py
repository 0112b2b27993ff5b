"""Months as whole numbers, and their middle and bounds as time stamps.

A month number is ``year * 12 + month - 1``: consecutive months differ by one, so that order, gaps and duplicates
are plain integer questions.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

MONTHS = 12
"""Months of a year."""
_EPOCH = 1970 * MONTHS


def month_number(year: int | np.ndarray, month: int | np.ndarray) -> int | np.ndarray:
    """Number of a month; ``month`` counts from 1."""
    return year * MONTHS + month - 1


def month_starts(first: int, count: int) -> np.ndarray:
    """First instants of ``count`` months from month number ``first`` on, datetime64[ns] of shape (count,)."""
    numbers = np.arange(first, first + count) - _EPOCH
    return numbers.astype("datetime64[M]").astype("datetime64[ns]")


def month_bounds(first: int, count: int) -> np.ndarray:
    """Start and end of each month, datetime64[ns] of shape (count, 2)."""
    edges = month_starts(first, count + 1)
    return np.stack([edges[:-1], edges[1:]], axis=1)


def mid_months(first: int, count: int) -> np.ndarray:
    """Middle of each month, the project's time coordinate, datetime64[ns] of shape (count,)."""
    bounds = month_bounds(first, count)
    return bounds[:, 0] + (bounds[:, 1] - bounds[:, 0]) // 2


def days_in_month(first: int, count: int) -> np.ndarray:
    """Length of each month in days, float of shape (count,)."""
    bounds = month_bounds(first, count)
    return (bounds[:, 1] - bounds[:, 0]) / np.timedelta64(1, "D")


def time_coordinates(first: int, count: int) -> dict[str, xr.Variable]:
    """``time`` and ``time_bnds`` of consecutive months, encoded alike so that CF readers accept the bounds."""
    encoding = {"units": "days since 1850-01-01", "calendar": "standard", "dtype": "float64"}
    return {
        "time": xr.Variable("time", mid_months(first, count), {"bounds": "time_bnds"}, encoding),
        "time_bnds": xr.Variable(("time", "bnds"), month_bounds(first, count), None, encoding),
    }
