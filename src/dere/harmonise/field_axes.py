"""Axes of fields of one's own: months, places, and the dimensions of each variable; one sentence for what is wrong."""

from __future__ import annotations

import numpy as np
import xarray as xr

from dere.harmonise.axis import month_number
from dere.variables import MONTHLY8, SATELLITE

YEAR = 12
COVER = ("plant_fraction", "vegetated_fraction")
AXES = {
    **dict.fromkeys((*MONTHLY8, *SATELLITE), ("time", "lat", "lon")),
    **dict.fromkeys(("igbp", "land_fraction", "elevation", "vegetated_fraction"), ("lat", "lon")),
    "plant_fraction": ("plant_type", "lat", "lon"),
    "age_weight": ("age", "lat", "lon"),
}
"""Dimensions of what is read of plain fields; a cover may be over years, too."""
OFF = 0.02
"""Largest departure of a cell from a centre, in cells."""


def require_axes(variable: xr.DataArray, source: str) -> None:
    """Check the dimensions of a variable."""
    name, found = str(variable.name), [str(dim) for dim in variable.dims]
    expected = AXES[name]
    free = {"year"} if name in COVER else set()
    if set(found) - free != set(expected):
        raise ValueError(
            f"{source}: {name} is over {', '.join(found) or 'nothing'}, but {', '.join(expected)} are expected; "
            "rename its dimensions, or choose one place on those that are too many"
        )


def require_months(data: xr.Dataset, source: str) -> None:
    """Check that time holds every month once and in order, and at least a year of them."""
    calendar = getattr(data.indexes.get("time"), "calendar", None)
    if calendar is not None:
        raise ValueError(
            f"{source}: time has dates of the calendar {calendar}, but those that the standard one holds are expected; "
            "write the same months in it"
        )
    if "time" not in data.coords or data["time"].dtype.kind != "M":
        raise ValueError(f"{source}: time holds no dates, but units as 'days since 2000-01-01' are expected; add them")
    months = month_number(data["time"].values)
    if (np.diff(months) != 1).any():
        due = int(months[int(np.flatnonzero(np.diff(months) != 1)[0])]) + 1
        raise ValueError(
            f"{source}: another month follows where {due // YEAR}-{due % YEAR + 1:02d} is due, but every month once "
            "and in order is expected; complete or sort them"
        )
    if len(months) < YEAR:
        raise ValueError(f"{source} has {len(months)} months, at least {YEAR} are needed; give whole years")


def degrees_of(data: xr.Dataset, source: str) -> float:
    """Cell size of a regular grid."""
    for name, most in (("lat", 90.0), ("lon", 540.0)):
        axis = data[name].values.astype(float)
        if not (np.abs(axis) <= most).all():
            raise ValueError(
                f"{source}: {name} holds {float(axis[~(np.abs(axis) <= most)][0]):g}, which is no place on Earth; "
                "correct the coordinate"
            )
    axes = [np.diff(data[name].values.astype(float)) for name in ("lat", "lon") if data.sizes[name] > 1]
    # longitudes may pass from 359 to 1, or from 179 to -179
    steps = [np.abs((axis + 180.0) % 360.0 - 180.0) for axis in axes]
    if not steps:
        raise ValueError(f"{source} has one cell, whose size nothing tells; give fields of two cells or more")
    step = float(np.median(np.concatenate(steps)))
    if step == 0 or any((np.abs(each - step) > 0.01 * step).any() for each in steps):
        raise ValueError(
            f"{source}: latitudes and longitudes have other steps than {step:g} degrees, but a regular grid with one "
            "size is expected; regrid the fields"
        )
    # axes in single precision
    size = 180.0 / round(180.0 / step)
    for name, pole in (("lat", 90.0), ("lon", 180.0)):
        number = (data[name].values.astype(float) + pole) / size - 0.5
        if (np.abs(number - np.rint(number)) > OFF).any():
            raise ValueError(
                f"{source}: {name} {float(data[name].values[0]):g} is no centre of a cell of the global grid of "
                f"{size:g} degrees, whose first lies {size / 2:g} from {-pole:g}; regrid the fields"
            )
    return size
