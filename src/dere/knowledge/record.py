"""Properties of a place over the months of its own record, and the month that follows each month."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Months = NDArray[np.bool_]

SMALLEST_RANGE = 1e-6
"""A series with a smaller range is constant: it stands at the lower end of it."""


def minimum(values: Array, record: Months) -> Array:
    """Smallest value (member,) of the record months of (member, time)."""
    smallest: Array = np.where(record, values, np.inf).min(1)
    return smallest


def maximum(values: Array, record: Months) -> Array:
    """Largest value (member,) of the record months of (member, time)."""
    return -minimum(-values, record)


def in_range(values: Array, record: Months) -> Array:
    """Values (member, time) within the range of the record months: 0 at its minimum, 1 at its maximum."""
    low, high = minimum(values, record)[:, None], maximum(values, record)[:, None]
    return (values - low) / np.maximum(high - low, SMALLEST_RANGE)


def share(condition: Months, record: Months) -> Array:
    """Share (member,) of the record months in which a condition (member, time) holds."""
    found: Array = (condition & record).sum(1) / record.sum(1)
    return found


def mean_of_lowest(values: Array, record: Months, part: int) -> Array:
    """Mean (member,) of the lowest ``1 / part`` of the record months, rounded down to whole months, at least one."""
    ordered = np.sort(np.where(record, values, np.inf), axis=1)
    number = np.maximum(record.sum(1) // part, 1)
    chosen = np.arange(values.shape[1]) < number[:, None]
    mean: Array = np.where(chosen, ordered, 0.0).sum(1) / number
    return mean


def mean_of_highest(values: Array, record: Months, part: int) -> Array:
    """Mean (member,) of the highest ``1 / part`` of the record months; as `mean_of_lowest`."""
    return -mean_of_lowest(-values, record, part)


def following(values: Array, record: Months, climatology: Array, month: NDArray[np.int64]) -> Array:
    """Value of the next month (member, time).

    A next month outside the record, hence the one after its last, has the climatology of its calendar month. Nothing
    wraps around to the first month.

    Parameters
    ----------
    values, record
        (member, time).
    climatology
        (member, 12) of the record.
    month
        (time,) calendar month, 0-11.
    """
    usual = climatology[:, (month + 1) % 12]
    result = usual.copy()
    result[:, :-1] = np.where(record[:, 1:], values[:, 1:], usual[:, :-1])
    return result
