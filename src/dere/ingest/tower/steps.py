"""Time stamps of half hours, hours and days, as numbers that aggregation needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.ingest.tables import numeric, require_columns

STEPS_PER_DAY = {"HH": 48, "HR": 24, "DD": 1}
_FORM = {"HH": "YYYYMMDDHHMM", "HR": "YYYYMMDDHHMM", "DD": "YYYYMMDD"}


@dataclass(frozen=True)
class Steps:
    """Beginnings of the steps of a record in local standard time.

    Parameters
    ----------
    month
        Month number of each step, shape (step,).
    hour
        Hour of day in which it begins, shape (step,); 0 for days.
    number
        Steps since 1970 at this resolution, strictly increasing, shape (step,).
    per_day
        Steps of a day.
    """

    month: NDArray[np.int64]
    hour: NDArray[np.int64]
    number: NDArray[np.int64]
    per_day: int


def parse_steps(table: pd.DataFrame, step: str, source: str) -> Steps:
    """Steps of a table, from TIMESTAMP of days, else from TIMESTAMP_START.

    Raises
    ------
    ValueError
        When a stamp is no such time, lies between steps, occurs twice or out of order.
    """
    column = "TIMESTAMP" if step == "DD" else "TIMESTAMP_START"
    require_columns(table, [column], source)
    stamps = numeric(table, column, source)
    form, per_day = _FORM[step], STEPS_PER_DAY[step]
    finite = np.isfinite(stamps)
    whole = np.where(finite, stamps, 0).astype(np.int64)
    date, clock = (whole, np.zeros_like(whole)) if step == "DD" else np.divmod(whole, 10000)
    year, month, day = date // 10000, date // 100 % 100, date % 100
    minutes = clock // 100 * 60 + clock % 100
    valid = finite & (whole == stamps) & (year >= 1850) & (year <= 2150) & (month >= 1) & (month <= 12) & (day >= 1)
    number_of_month = np.where(valid, year * 12 + month - 1, 1970 * 12)
    first_day = (number_of_month - 1970 * 12).astype("datetime64[M]").astype("datetime64[D]")
    days = first_day + np.where(valid, day - 1, 0)
    # a 31st of February would run into the next month
    valid &= days.astype("datetime64[M]") == first_day.astype("datetime64[M]")
    valid &= (clock // 100 < 24) & (clock % 100 < 60) & (minutes * per_day % 1440 == 0)
    if not valid.all():
        row = int(np.flatnonzero(~valid)[0])
        raise ValueError(
            f"{source}: {column} {table[column].iloc[row]} in data row {row + 1} is not the beginning of a {step} step "
            f"written {form}; use the product's own file of that step"
        )
    number = days.astype(np.int64) * per_day + minutes * per_day // 1440
    require_increasing(number, whole, source, column)
    return Steps(number_of_month, minutes // 60, number, per_day)


def require_increasing(number: NDArray[np.int64], times: NDArray, source: str, column: str) -> None:
    """Check that steps follow each other.

    Parameters
    ----------
    number, times
        Number of each step and its time as the file writes it, shape (step,).

    Raises
    ------
    ValueError
        When a step occurs twice or before an earlier one.
    """
    back = np.flatnonzero(np.diff(number) <= 0)
    if len(back):
        row = int(back[0]) + 1
        raise ValueError(
            f"{source}: {column} {times[row]} follows {times[row - 1]}, but steps must increase and occur once; sort "
            "the rows and remove duplicated ones"
        )


def check_years(steps: Steps, years: tuple[int, int] | None, source: str) -> None:
    """Check that the steps begin and end with the whole calendar years of the file name.

    Raises
    ------
    ValueError
        When they do not, as in a file truncated between two rows, or when there is no row.
    """
    if not len(steps.number):
        raise ValueError(f"{source} has a header but no rows, and a record is needed; download it again")
    if years is None:
        return
    edges = np.array([f"{years[0]:04d}-01-01", f"{years[1] + 1:04d}-01-01"], dtype="datetime64[D]").astype(np.int64)
    expected = (int(edges[0]) * steps.per_day, int(edges[1]) * steps.per_day - 1)
    found = (int(steps.number[0]), int(steps.number[-1]))
    if found != expected:
        text = [str(np.datetime64(number // steps.per_day, "D")) for number in found]
        raise ValueError(
            f"{source} holds steps from {text[0]} to {text[1]}, but its name promises the whole years {years[0]} to "
            f"{years[1]}; it is truncated or renamed: download it again, or correct the years in its name"
        )


def check_span(months: np.ndarray, years: tuple[int, int] | None, source: str) -> None:
    """Check that the months begin and end with the whole calendar years of the file name.

    Raises
    ------
    ValueError
        When they do not, as in a file truncated between two rows, or when there is no row.
    """
    if not len(months):
        raise ValueError(f"{source} has a header but no rows, and a monthly record is needed; download it again")
    if years is None:
        return
    first, last = int(months[0]), int(months[-1])
    if (first, last) != (years[0] * 12, years[1] * 12 + 11):
        text = [f"{number // 12}-{number % 12 + 1:02d}" for number in (first, last)]
        raise ValueError(
            f"{source} holds {text[0]} to {text[1]}, but its name promises the whole years {years[0]} to {years[1]}; "
            "it is truncated or renamed: download it again, or correct the years in its name"
        )
