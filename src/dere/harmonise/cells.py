"""Cells of the grid and the towers they hold; driver members when the simulation comes from files."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.harmonise.drivers import stored_variables
from dere.harmonise.statics import ATTRIBUTES, derived_igbp, static_attributes


def covering_cell(
    lat: NDArray, lon: NDArray, cells: xr.Dataset, grid_degrees: float, reach: float = 1.5
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Cell that holds each point; at coasts the nearest land cell.

    Parameters
    ----------
    lat, lon
        (site,) degrees.
    cells
        With coordinates ``cell``, ``lat``, ``lon`` on the cell axis.
    grid_degrees
        Cell size.
    reach
        Largest distance, in cell sizes, to a nearest cell that does not hold the point.

    Returns
    -------
    cell, inside
        (site,) cell number, -1 where no land cell is near, and whether the cell holds the point.
    """
    dlat = np.abs(np.asarray(lat, float)[:, None] - cells["lat"].values)
    dlon = np.abs((np.asarray(lon, float)[:, None] - cells["lon"].values + 180.0) % 360.0 - 180.0)
    half = grid_degrees / 2 * (1 + 1e-6)
    inside = (dlat <= half) & (dlon <= half)
    distance = np.hypot(dlat, dlon * np.cos(np.radians(np.asarray(lat, float)))[:, None])
    nearest = np.where(inside, -1.0, distance).argmin(1)
    rows = np.arange(len(nearest))
    found = inside[rows, nearest] | (distance[rows, nearest] <= reach * grid_degrees)
    return np.where(found, cells["cell"].values[nearest], -1), inside[rows, nearest]


def positions(cell: NDArray, cells: xr.Dataset) -> NDArray[np.int64]:
    """Position on the cell axis of each cell number.

    Raises
    ------
    ValueError
        When a number is not on the axis.
    """
    axis = cells["cell"].values
    order = np.argsort(axis)
    place = np.searchsorted(axis, cell, sorter=order).clip(max=len(axis) - 1)
    found = order[place]
    if not np.array_equal(axis[found], cell):
        unknown = np.asarray(cell)[axis[found] != cell][0]
        raise ValueError(f"cell {unknown} is not among the {len(axis)} cells of the simulation; drop the site it holds")
    return found


def climate_of(dataset: xr.Dataset) -> xr.Dataset:
    """Monthly temperature, precipitation and shortwave (and pressure where stored) of any driver set.

    ``carbonglobe136`` stores shortwave as a diurnal cycle; its mean over the hours is the monthly mean.
    """
    member = "cell" if "cell" in dataset.dims else "site"
    names = ["air_temperature", "precipitation", "pressure", "lai_satellite", "evi_satellite"]
    climate = dataset[[name for name in names if name in dataset]]
    shortwave = dataset["shortwave"] if "shortwave" in dataset else dataset["shortwave_hourly"].mean("hour")
    return climate.assign(shortwave=shortwave).transpose(member, "time", ...)


def cell_drivers(
    forcing: xr.Dataset, cover: xr.Dataset, driver_set: str, satellites: bool, grid_degrees: float
) -> xr.Dataset:
    """``drivers.nc`` of grid cells: the forcing as read, plus IGBP class and static attributes.

    Parameters
    ----------
    forcing
        Stored drivers over (cell, time[, ...]) with coordinates ``lat``, ``lon`` on the cell axis.
    cover
        ``plant_fraction(cell, year, plant_type)``, ``vegetated_fraction(cell, year)``, ``age_weight(cell, age)``.
    driver_set, satellites, grid_degrees
        As in the configuration and the simulation.

    Raises
    ------
    ValueError
        When a driver is missing or NaN.
    """
    for name in stored_variables(driver_set):
        if name not in forcing:
            raise ValueError(
                f"the simulation's forcing lacks '{name}', which driver_set '{driver_set}' needs; use the other "
                "driver_set or complete the folder"
            )
        if bool(forcing[name].isnull().any()):
            raise ValueError(f"driver '{name}' of the simulation's forcing holds NaN; cells must be complete")
    climate = climate_of(forcing)
    fraction = cover["plant_fraction"].mean("year").transpose("cell", "plant_type").values
    igbp = derived_igbp(climate, fraction, cover["vegetated_fraction"].mean("year").values)
    depth = forcing["soil"].sel(soil_property="depth_to_bedrock").values / 1000.0 if "soil" in forcing else None
    static = static_attributes(
        climate,
        igbp,
        forcing["lat"].values,
        fraction,
        mean_age(cover),
        elevation=forcing["elevation"].values if "elevation" in forcing.coords else None,
        soil_depth=depth,
        satellites=satellites,
    )
    first = str(np.datetime_as_string(forcing["time"].values[0], unit="M"))
    result = forcing.assign_coords(igbp=("cell", igbp), attribute=list(ATTRIBUTES))
    result["static"] = (("cell", "attribute"), static)
    result.attrs |= {"driver_set": driver_set, "grid_degrees": float(grid_degrees), "start_month": first}
    return result


def mean_age(cover: xr.Dataset) -> NDArray[np.float64]:
    """Mean stand age in years of each member from ``age_weight(member, age)``."""
    return (cover["age_weight"] * cover["age"]).sum("age").values
