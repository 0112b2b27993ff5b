"""Times that are not written as FLUXNET writes them (text, day of year), as the steps that aggregation needs."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.ingest.tower.steps import Steps, require_increasing

_EPOCH = 1970 * 12
_MINUTES = 1440


def text_times(texts: pd.Series, form: str, source: str, column: str) -> NDArray[np.datetime64]:
    """Instants of dates written as text, for example with ``form`` "%Y-%m-%d"; datetime64[m], shape (step,).

    Raises
    ------
    ValueError
        When a text is no such date.
    """
    times = pd.to_datetime(texts.astype(str), format=form, errors="coerce")
    if times.isna().any():
        at = int(np.flatnonzero(times.isna())[0])
        raise ValueError(
            f"{source}: {column} in data row {at + 1} is '{texts.iloc[at]!s:.40}', which is no time written {form}; "
            "download the file again, or correct the row"
        )
    return times.to_numpy().astype("datetime64[m]")


def year_day_times(
    year: NDArray[np.float64], day: NDArray[np.float64], source: str, column: str
) -> NDArray[np.datetime64]:
    """Instants of days of the year, counted from 1; datetime64[m], shape (step,).

    Raises
    ------
    ValueError
        When a year has no such day.
    """
    whole = np.isfinite(year) & np.isfinite(day) & (year % 1 == 0) & (day % 1 == 0) & (year >= 1850) & (year <= 2150)
    start = (np.where(whole, year, 1970).astype(np.int64) - 1970).astype("datetime64[Y]")
    days = start.astype("datetime64[D]") + np.where(whole, day, 1).astype(np.int64) - 1
    wrong = ~whole | (days.astype("datetime64[Y]") != start)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise ValueError(
            f"{source} has day {day[at]:g} of year {year[at]:g} in data row {at + 1}, which that year does not have; "
            f"correct column {column}"
        )
    return days.astype("datetime64[m]")


def steps_of(times: NDArray[np.datetime64], per_day: int, source: str, column: str) -> Steps:
    """Steps that begin at ``times``, which are checked.

    Parameters
    ----------
    times
        datetime64[m], shape (step,).
    per_day
        48, 24 or 1.
    source, column
        For messages.

    Raises
    ------
    ValueError
        When there is no row, a time lies between two steps, occurs twice or is out of order.
    """
    if not len(times):
        raise ValueError(f"{source} has a header but no rows, and a record is needed; download it again")
    minutes = times.astype(np.int64)
    between = minutes * per_day % _MINUTES != 0
    if between.any():
        at = int(np.flatnonzero(between)[0])
        raise ValueError(
            f"{source}: {column} {times[at]} in data row {at + 1} is not the beginning of one of {per_day} steps of a "
            "day; correct the time column"
        )
    require_increasing(minutes, times, source, column)
    month = times.astype("datetime64[M]").astype(np.int64) + _EPOCH
    return Steps(month, minutes % _MINUTES // 60, minutes * per_day // _MINUTES, per_day)
