"""The common monthly axis: month numbers, mid-month stamps, whole calendar years, climatologies."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.ingest.months import mid_months, month_bounds


def month_number(time: NDArray) -> NDArray[np.int64]:
    """Month numbers (year x 12 + month - 1) of time stamps; modulo 12 they give the calendar month, 0 = January."""
    return np.asarray(time).astype("datetime64[M]").astype(np.int64) + 1970 * 12


def time_bounds(time: NDArray) -> NDArray:
    """First instants of each month and of the next one, shape (time, 2), of a gap-free monthly axis."""
    return month_bounds(int(month_number(time[:1])[0]), len(time))


def calendar_years(time: NDArray) -> NDArray[np.int64]:
    """Calendar years that a monthly axis touches."""
    return np.unique(month_number(time) // 12)


def on_calendar_years(dataset: xr.Dataset) -> xr.Dataset:
    """Reindex ``time`` to mid-months of whole calendar years; added months are missing.

    Raises
    ------
    ValueError
        When a month occurs twice.
    """
    number = month_number(dataset["time"].values)
    unique, counts = np.unique(number, return_counts=True)
    if (counts > 1).any():
        month = f"{unique[counts > 1][0] // 12}-{unique[counts > 1][0] % 12 + 1:02d}"
        raise ValueError(
            f"time axis holds month {month} {counts.max()} times; one value per month is expected: "
            "remove the duplicate rows of the source file"
        )
    first = int(number.min()) // 12 * 12
    count = (int(number.max()) // 12 + 1) * 12 - first
    full = dataset.assign_coords(time=number).reindex(time=np.arange(first, first + count))
    for name, variable in dataset.data_vars.items():
        if variable.dtype == bool and "time" in variable.dims:
            full[name] = full[name].fillna(False).astype(bool)
    return full.assign_coords(time=mid_months(first, count))


def monthly_climatology(values: NDArray, month: NDArray) -> NDArray[np.float64]:
    """Mean per calendar month; calendar months without data are interpolated around the year.

    Parameters
    ----------
    values
        (..., time); NaN = missing.
    month
        (time,), 0-11.

    Returns
    -------
    array
        (..., 12); NaN where a series has no value at all.
    """
    values = np.asarray(values, float)
    present = np.isfinite(values)
    total = np.zeros((*values.shape[:-1], 12))
    number = np.zeros_like(total)
    for calendar in range(12):
        chosen = np.asarray(month) == calendar
        total[..., calendar] = np.where(present, values, 0.0)[..., chosen].sum(-1)
        number[..., calendar] = present[..., chosen].sum(-1)
    mean = np.full_like(total, np.nan)
    np.divide(total, number, out=mean, where=number > 0)
    return _interpolate_rows(mean)


def _interpolate_rows(mean: NDArray) -> NDArray:
    flat = mean.reshape(-1, 12)
    for index in np.flatnonzero(np.isnan(flat).any(1) & np.isfinite(flat).any(1)):
        known = np.flatnonzero(np.isfinite(flat[index]))
        around = np.concatenate([known - 12, known, known + 12])
        flat[index] = np.interp(np.arange(12), around, np.tile(flat[index, known], 3))
    return flat.reshape(mean.shape)
