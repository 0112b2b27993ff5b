"""Axes and units of process-model NetCDF: months of any calendar, latitude either way, longitude 0..360, spellings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cftime
import numpy as np
from numpy.typing import NDArray

from dere.variables import FLUX_UNIT, convert

_SPELLINGS = {
    "kgm-2s-1": "kg m-2 s-1",
    "kgcm-2s-1": "kgC m-2 s-1",
    "kg/m2/s": "kg m-2 s-1",
    "kgc/m2/s": "kgC m-2 s-1",
    "mm/s": "kg m-2 s-1",
    "mms-1": "kg m-2 s-1",
    "kgcm-2yr-1": "kgC m-2 yr-1",
    "kgc/m2/yr": "kgC m-2 yr-1",
    "kgcm-2month-1": "kgC m-2 month-1",
    "kgm-2month-1": "kgC m-2 month-1",
    "kgc/m2/month": "kgC m-2 month-1",
    "gcm-2d-1": FLUX_UNIT,
    "gcm-2day-1": FLUX_UNIT,
    "gc/m2/day": FLUX_UNIT,
    "kgm-2": "kgC m-2",
    "kgcm-2": "kgC m-2",
    "kg/m2": "kgC m-2",
    "kgc/m2": "kgC m-2",
    "gcm-2": "gC m-2",
    "gm-2": "gC m-2",
    "gc/m2": "gC m-2",
    "m2m-2": "m2 m-2",
    "m2/m2": "m2 m-2",
    "wm-2": "W m-2",
    "w/m2": "W m-2",
    "ms-1": "m s-1",
    "m/s": "m s-1",
    "kgkg-1": "kg kg-1",
    "kg/kg": "kg kg-1",
    "mm/day": "mm d-1",
    "mmd-1": "mm d-1",
    "mmday-1": "mm d-1",
    "mm/month": "mm month-1",
    "mmmonth-1": "mm month-1",
    "c": "degC",
    "degc": "degC",
    "celsius": "degC",
    "k": "K",
    "kelvin": "K",
    "degk": "K",
    "pa": "Pa",
    "hpa": "hPa",
    "kpa": "kPa",
    "m": "m",
    "%": "%",
    "percent": "%",
    "1": "1",
    "-": "1",
    "": "1",
    "fraction": "1",
    "none": "1",
}
_DAY_STEPS = ("day", "hour", "minute", "second")


def plain_unit(text: str) -> str:
    """Spelling of a unit that ``dere.variables.convert`` knows; an unknown text is returned as it is."""
    key = re.sub(r"[\s^_.]|\*\*|\(|\)", "", str(text)).lower()
    return _SPELLINGS.get(key, str(text).strip())


def to_unit(values: NDArray, unit: str, wanted: str, days: NDArray, what: str) -> NDArray:
    """Convert values (..., time) from a unit as written in a file.

    Parameters
    ----------
    values
        With time last.
    unit, wanted
        As the file writes it, and the canonical one.
    days
        (time,) lengths of the months, for sums per month.
    what
        File and variable for messages.

    Raises
    ------
    ValueError
        When the unit is unknown.
    """
    plain = plain_unit(unit)
    if plain == "kgC m-2 month-1" and wanted == FLUX_UNIT:
        return values * 1e3 / days
    if plain == "mm month-1" and wanted == "mm d-1":
        return values / days
    if (plain, wanted) in (("gC m-2", "kgC m-2"),):
        return values * 1e-3
    if (plain, wanted) in (("1", "m2 m-2"),):
        return values
    return convert(values, plain, wanted, what)


@dataclass(frozen=True)
class Steps:
    """A time axis in whole months or years.

    Parameters
    ----------
    annual
        Whether steps are years.
    numbers
        (time,) month numbers (year * 12 + month - 1), or years.
    """

    annual: bool
    numbers: NDArray[np.int64]

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
                f"{what} does not reach {month // 12}-{month % 12 + 1:02d}, but all variables must cover the same "
                "years; give the complete file"
            )
        return place


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
        When the units cannot be read, or steps are neither months nor years without gap.
    """
    numbers = np.asarray(values, float) if bounds is None else np.asarray(bounds, float).mean(axis=1)
    units, calendar = str(attrs.get("units", "")), str(attrs.get("calendar", "standard")).lower()
    match = re.match(r"\s*(\w+?)s?\s+since\s+(-?\d{1,4})-(\d{1,2})(?:-(\d{1,2}))?", units)
    if not match or not len(numbers) or not np.isfinite(numbers).all():
        raise ValueError(
            f"{what}: time has units '{units}' and {len(numbers)} steps, but e.g. 'days since 1901-01-01' and finite "
            "numbers are needed; correct the attribute"
        )
    step, year, month = match[1].lower(), int(match[2]), int(match[3])
    if step == "month":
        months = year * 12 + month - 1 + np.floor(numbers).astype(np.int64)
    elif step == "year":
        months = year * 12 + month - 1 + np.floor(numbers * 12 + 1e-6).astype(np.int64)
    elif step in _DAY_STEPS:
        try:
            dates = cftime.num2date(numbers, units.strip(), calendar)
        except (ValueError, OverflowError) as error:
            raise ValueError(
                f"{what}: time '{units}' in calendar '{calendar}' cannot be read ({error}); correct the attributes"
            ) from None
        months = np.array([date.year * 12 + date.month - 1 for date in dates], np.int64)
        ends = bounds is None and len(dates) % 12 == 0 and dates[0].month == 2
        if ends and all(date.day == 1 and date.hour == 0 for date in dates):
            raise ValueError(
                f"{what}: {len(dates)} stamps from {dates[0].year}-02-01 to {dates[-1].year}-01-01 look like the ends "
                "of months, which look like first days of the next; add time bounds or stamp the middle"
            )
    else:
        raise ValueError(f"{what}: time has units '{units}', but days, months or years since a date are needed")
    gaps = set(np.diff(months).tolist())
    if gaps <= {1}:
        return Steps(False, months)
    if gaps == {12}:
        return Steps(True, months // 12)
    raise ValueError(
        f"{what}: time goes on by {sorted(gaps)[:4]} months, but steps of one month (or one year) without gap or "
        "repetition are needed; average the file to months and sort it"
    )


@dataclass(frozen=True)
class Lattice:
    """A regular global grid, or a part of one.

    Parameters
    ----------
    degrees
        Cell size.
    row, column
        (lat,) and (lon,) places of the file's axes on the grid that begins in the north-west.
    """

    degrees: float
    row: NDArray[np.int64]
    column: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the global grid."""
        return round(180 / self.degrees), round(360 / self.degrees)


def lattice_of(lat: NDArray, lon: NDArray, what: str) -> Lattice:
    """Find the global grid behind two axes.

    Raises
    ------
    ValueError
        When the axes are no coordinates, not regular, of different steps, or off the centres of a global grid.
    """
    lat, lon = np.asarray(lat, float), np.asarray(lon, float)
    if lat.ndim != 1 or lon.ndim != 1 or len(lat) < 2 or len(lon) < 2:
        raise ValueError(f"{what}: lat and lon have shapes {lat.shape} and {lon.shape}, but two axes are needed")
    if not (np.abs(lat) <= 90).all() or not ((lon >= -180) & (lon <= 360)).all():
        raise ValueError(
            f"{what}: latitude runs from {lat.min():g} to {lat.max():g} and longitude from {lon.min():g} to "
            f"{lon.max():g}, but -90..90 and -180..360 are expected; correct the coordinates, they may be exchanged"
        )
    steps = np.abs(np.concatenate([np.diff(lat), np.diff(lon)]))
    degrees = float(np.median(steps))
    whole = degrees > 0 and abs(180 / degrees - round(180 / degrees)) < 0.01
    if not whole or np.abs(steps - degrees).max() > 0.02 * degrees:
        raise ValueError(
            f"{what}: grid steps run from {steps.min():g} to {steps.max():g} degrees, but one size that divides 180, "
            "the same in latitude and longitude, is needed; interpolate the files to such a grid"
        )
    degrees = 180.0 / round(180.0 / degrees)
    row = (90 - lat) / degrees - 0.5
    column = ((lon + 180) % 360) / degrees - 0.5
    rows, columns = np.rint(row).astype(np.int64), np.rint(column).astype(np.int64)
    if np.abs(row - rows).max() > 0.05 or np.abs(column - columns).max() > 0.05 or rows.min() < 0:
        raise ValueError(
            f"{what}: cell centres such as {lat[0]:g}, {lon[0]:g} are not those of a global grid of {degrees:g} "
            f"degrees ({90 - degrees / 2:g}, {-180 + degrees / 2:g} ...); interpolate the files to it"
        )
    if len(np.unique(columns)) < len(columns):
        raise ValueError(f"{what}: longitude holds a column twice; remove the repeated one")
    return Lattice(degrees, rows, columns)
