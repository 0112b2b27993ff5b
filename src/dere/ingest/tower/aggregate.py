"""From steps shorter than a month to monthly means and mean diurnal cycles.

Every tower format finer than monthly goes through here, so that coverage means the same everywhere: the share of a full
month's steps that have a value. A month below the minimum is missing, never a mean of what happened to be there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dere.channels import HOURS
from dere.ingest.months import days_in_month


def full_steps(months: NDArray[np.int64], steps_per_day: int) -> NDArray[np.int64]:
    """Steps of complete months.

    Parameters
    ----------
    months
        Month numbers, any shape.
    steps_per_day
        48 for half hours, 24 for hours, 1 for days.

    Returns
    -------
    np.ndarray
        Days of each month times ``steps_per_day``, same shape.
    """
    months = np.asarray(months, dtype=np.int64)
    if not months.size:
        return months
    first = int(months.min())
    days = days_in_month(first, int(months.max()) - first + 1)
    return np.rint(days[months - first] * steps_per_day).astype(np.int64)


def monthly_means(
    month: NDArray[np.int64],
    values: NDArray[np.float64],
    steps_per_month: NDArray[np.int64],
    minimum_coverage: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Mean of each month over its finite steps.

    Parameters
    ----------
    month
        Month number of each step, shape (step,), in any order.
    values
        Value of each step, shape (step,), NaN missing.
    steps_per_month
        Steps of the complete month for each distinct month of ``month`` in ascending order (see :func:`full_steps`),
        shape (month,); one number where all are equal.
    minimum_coverage
        Months with a smaller share of finite steps are NaN.

    Returns
    -------
    months, mean, coverage
        The distinct months ascending, their means (NaN below the coverage) and the share of finite steps, each of
        shape (month,).
    """
    months, position = np.unique(np.asarray(month, dtype=np.int64), return_inverse=True)
    finite = np.isfinite(values)
    at = position[finite]
    count = np.bincount(at, minlength=len(months))
    total = np.bincount(at, weights=np.asarray(values, dtype=float)[finite], minlength=len(months))
    coverage = count / np.broadcast_to(steps_per_month, months.shape)
    enough = (count > 0) & (coverage >= minimum_coverage)
    mean = np.where(enough, total / np.maximum(count, 1), np.nan)
    return months, mean, coverage


def mean_diurnal_cycles(
    month: NDArray[np.int64],
    hour: NDArray[np.int64],
    values: NDArray[np.float64],
    steps_per_month: NDArray[np.int64],
    minimum_coverage: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Mean of each month and hour of day over the finite steps.

    Parameters
    ----------
    month, values, minimum_coverage
        As in :func:`monthly_means`; the coverage holds for each hour by itself.
    hour
        Hour of day 0 to 23 in which each step begins, local standard time, shape (step,).
    steps_per_month
        As in :func:`monthly_means`; a 24th of it belongs to each hour.

    Returns
    -------
    months, cycles
        The distinct months ascending, shape (month,), and their cycles of shape (month, 24); NaN below the coverage.
    """
    months, position = np.unique(np.asarray(month, dtype=np.int64), return_inverse=True)
    finite = np.isfinite(values)
    at = (position * HOURS + hour)[finite]
    size = len(months) * HOURS
    count = np.bincount(at, minlength=size).reshape(-1, HOURS)
    total = np.bincount(at, weights=np.asarray(values, dtype=float)[finite], minlength=size).reshape(-1, HOURS)
    expected = np.broadcast_to(steps_per_month, months.shape)[:, None] / HOURS
    enough = (count > 0) & (count >= minimum_coverage * expected)
    return months, np.where(enough, total / np.maximum(count, 1), np.nan)
