"""Time axes of process-model NetCDF: months or years of any calendar and unit, from bounds where there are some.

A stamp at the first instant of a month may be its start or the end of the month before it (many models stamp a mean
when it is complete). Nothing in one such axis tells which; it is left open here, and
``dere.ingest.simulation.process_model_stamps`` settles it by other files or refuses it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import cftime
import numpy as np
import xarray as xr
from numpy.typing import NDArray

_DAY_STEPS = ("day", "hour", "minute", "second")
# single-precision hours since 1800 are off by minutes
_ROUNDING_HOURS = 1.0
_ROUNDING_MONTHS = _ROUNDING_HOURS / 730
_BOUNDS_NAMES = ("{}_bnds", "{}_bounds", "{}_bnd", "{}bnds", "{}bounds", "bounds_{}", "bnds_{}")


@dataclass(frozen=True)
class Steps:
    """A time axis in whole months or years.

    Parameters
    ----------
    annual
        Whether steps are years.
    numbers
        (time,) month numbers (year * 12 + month - 1), or years.
    undecided
        Whether stamps are first instants without bounds, so that all numbers may be one too large.
    """

    annual: bool
    numbers: NDArray[np.int64]
    undecided: bool = False

    def find(self, months: NDArray[np.int64], what: str) -> NDArray[np.int64]:
        """Position of each month; a year stands for its twelve months.

        Raises
        ------
        ValueError
            When a month is not on the axis.
        """
        wanted = months // 12 if self.annual else months
        place = wanted - self.numbers[0]
        outside = (place < 0) | (place >= len(self.numbers))
        if outside.any():
            month = int(months[outside][0])
            raise ValueError(
                f"{what} does not reach {month_text(month)}, but all variables must cover the same years; give the "
                "complete file"
            )
        return place

    def starting(self) -> Steps:
        """The axis whose stamps are the starts of the steps that they stand for."""
        return replace(self, undecided=False)

    def ending(self) -> Steps:
        """The axis whose stamps are the ends of the steps that they stand for."""
        return replace(self, numbers=self.numbers - 1, undecided=False)

    def text(self) -> str:
        """First and last step, for messages."""
        first, last = int(self.numbers[0]), int(self.numbers[-1])
        return f"{first} to {last}" if self.annual else f"{month_text(first)} to {month_text(last)}"


def month_text(number: int) -> str:
    """Month number as YYYY-MM."""
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def bounds_of(dataset: xr.Dataset, time: str, what: str) -> NDArray | None:
    """Undecoded bounds (time, 2) of a time axis, also where no attribute names them; None without any.

    Parameters
    ----------
    dataset
        Opened without decoding.
    time
        Name of the axis.
    what
        File for messages.

    Raises
    ------
    ValueError
        When they have another shape, or another unit than the axis.
    """
    axis = dataset[time]
    named = str(axis.attrs.get("bounds", ""))
    usual = [form.format(word) for word in dict.fromkeys((time, time.lower(), "time")) for form in _BOUNDS_NAMES]
    name = next((n for n in (named, *usual) if n in dataset.variables and time in dataset[n].dims), None)
    if name is None:
        return None
    bounds = dataset[name].transpose(time, ...)
    stated = str(bounds.attrs.get("units", axis.attrs.get("units", "")))
    if bounds.ndim != 2 or bounds.shape[1] != 2 or stated != str(axis.attrs.get("units", "")):
        raise ValueError(
            f"{what}: {name} has shape {bounds.shape} and units '{stated}', but {len(axis)} pairs in the units of "
            f"{time} ('{axis.attrs.get('units', '')}') are expected; write the bounds again or remove them"
        )
    return np.asarray(bounds.values, float)


def steps_of(values: NDArray, attrs: Mapping[str, Any], bounds: NDArray | None, what: str) -> Steps:
    """Months or years of a time axis.

    Parameters
    ----------
    values
        (time,) undecoded numbers.
    attrs
        ``units`` (days, hours, months or years since a date) and ``calendar`` (standard, noleap, 360_day ...).
    bounds
        (time, 2) undecoded bounds, or None; with them the middle of a step counts, because some models stamp its end.
    what
        File for messages.

    Raises
    ------
    ValueError
        When the units cannot be read, stamps lie outside their bounds, or steps are neither months nor years in order
        and without gap.
    """
    numbers = _middles(np.asarray(values, float), bounds, what)
    units, calendar = str(attrs.get("units", "")), str(attrs.get("calendar", "standard")).lower()
    match = re.match(r"\s*(\w+?)s?\s+since\s+(-?\d{1,4})-(\d{1,2})(?:-(\d{1,2}))?", units)
    if not match or not len(numbers) or not np.isfinite(numbers).all():
        raise ValueError(
            f"{what}: time has units '{units}' and {len(numbers)} steps, but e.g. 'days since 1901-01-01' and finite "
            "numbers are needed; correct the attribute"
        )
    step, epoch = match[1].lower(), int(match[2]) * 12 + int(match[3]) - 1
    if step in ("month", "year"):
        within = (int(match[4] or 1) - 1) / 30.4375 + numbers * (12 if step == "year" else 1)
        months = epoch + np.floor(within + 1e-6).astype(np.int64)
        first = within - np.floor(within + 1e-6) < _ROUNDING_MONTHS
    elif step in _DAY_STEPS:
        try:
            dates = cftime.num2date(numbers, units.strip(), calendar)
        except (ValueError, OverflowError) as error:
            raise ValueError(
                f"{what}: time '{units}' in calendar '{calendar}' cannot be read ({error}); correct the attributes"
            ) from None
        months = np.array([date.year * 12 + date.month - 1 for date in dates], np.int64)
        first = np.array([date.day == 1 and date.hour < _ROUNDING_HOURS for date in dates])
    else:
        raise ValueError(f"{what}: time has units '{units}', but days, months or years since a date are needed")
    gaps = set(np.diff(months).tolist())
    if gaps <= {1}:
        return Steps(False, months, bool(first.any()))
    if gaps == {12}:
        return Steps(True, months // 12, bool((first & (months % 12 == 0)).any()))
    raise ValueError(
        f"{what}: time goes on by {sorted(gaps)[:4]} months, but steps of one month (or one year) without gap or "
        "repetition are needed; average the file to months and sort it"
    )


def _middles(values: NDArray, bounds: NDArray | None, what: str) -> NDArray[np.float64]:
    """Middles of the bounds; the stamps where there are none, or none that last any time."""
    if bounds is None or (bounds[:, 0] == bounds[:, 1]).all():
        return values
    low, high = bounds.min(axis=1), bounds.max(axis=1)
    slack = 0.01 * (high - low)
    # a comparison with NaN is no fault here: the middles are refused as not finite
    outside = (values < low - slack) | (values > high + slack)
    if outside.any():
        at = int(outside.argmax())
        raise ValueError(
            f"{what}: stamp {values[at]:g} lies outside its time bounds {low[at]:g} to {high[at]:g} ({outside.sum()} "
            f"of {len(values)} do), but they must agree; correct the stamps or the bounds, or remove the bounds"
        )
    return (low + high) / 2
