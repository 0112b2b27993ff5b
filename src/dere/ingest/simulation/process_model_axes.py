"""Grids and units of process-model NetCDF: latitude either way, longitude 0..360, spellings (time: its own module)."""

from __future__ import annotations

import re
from dataclasses import dataclass

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

    def same(self, other: Lattice) -> bool:
        """Whether another file has its values at the same places."""
        alike = np.array_equal(self.row, other.row) and np.array_equal(self.column, other.column)
        return self.degrees == other.degrees and alike


def lattice_of(lat: NDArray, lon: NDArray, what: str) -> Lattice:
    """Find the global grid behind two axes, in any order and from any meridian.

    Raises
    ------
    ValueError
        When the axes are no coordinates, not regular, of different steps, or off the centres of a global grid.
    """
    lat, lon = np.asarray(lat, float), np.asarray(lon, float)
    if lat.ndim != 1 or lon.ndim != 1 or len(lat) < 2 or len(lon) < 2:
        raise ValueError(f"{what}: lat and lon have shapes {lat.shape} and {lon.shape}, but two axes are needed")
    if not np.isfinite(lat).all() or not np.isfinite(lon).all():
        raise ValueError(f"{what}: lat or lon has missing values, but every cell centre is needed; write them in full")
    if not (np.abs(lat) <= 90).all() or not ((lon >= -180) & (lon <= 360)).all():
        raise ValueError(
            f"{what}: latitude runs from {lat.min():g} to {lat.max():g} and longitude from {lon.min():g} to "
            f"{lon.max():g}, but -90..90 and -180..360 are expected; correct the coordinates, they may be exchanged"
        )
    steps = np.concatenate([np.diff(np.sort(lat)), _steps_around(lon)])
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


def _steps_around(lon: NDArray) -> NDArray[np.float64]:
    """Steps between neighbouring meridians, without the widest, across which the axis begins and ends."""
    sorted_lon = np.sort(lon % 360.0)
    steps = np.append(np.diff(sorted_lon), sorted_lon[0] + 360.0 - sorted_lon[-1])
    # -180 and 180 are one meridian, which the caller finds twice
    inner = np.delete(steps, steps.argmax())
    return inner[inner > 1e-9]
