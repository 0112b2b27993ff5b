"""Cells of the grid and the towers they hold; driver members when the simulation comes from files."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.blocks import loaded_blocks, slices, take
from dere.harmonise.axis import month_number
from dere.harmonise.drivers import stored_variables
from dere.harmonise.gaps import Completed
from dere.harmonise.statics import ATTRIBUTES, SATELLITE_MEANS, derived_igbp, first_year_cover, static_attributes

log = logging.getLogger(__name__)

_ATTRIBUTE_DRIVERS = ("shortwave", "pressure", "lai_satellite", "evi_satellite", "soil")
"""What static attributes need beside the stored drivers, where it is there."""
_PAIRS = 1 << 20
"""Distances between points and cells that are held at a time."""


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
    lat, lon = np.asarray(lat, float), np.asarray(lon, float)
    cell, inside = np.full(len(lat), -1, np.int64), np.zeros(len(lat), bool)
    for block in slices(len(lat), max(1, _PAIRS // cells.sizes["cell"])):
        dlat = np.abs(lat[block, None] - cells["lat"].values)
        dlon = np.abs((lon[block, None] - cells["lon"].values + 180.0) % 360.0 - 180.0)
        half = grid_degrees / 2 * (1 + 1e-6)
        holds = (dlat <= half) & (dlon <= half)
        distance = np.hypot(dlat, dlon * np.cos(np.radians(lat[block]))[:, None])
        nearest = np.where(holds, -1.0, distance).argmin(1)
        rows = np.arange(len(nearest))
        inside[block] = holds[rows, nearest]
        found = inside[block] | (distance[rows, nearest] <= reach * grid_degrees)
        cell[block] = np.where(found, cells["cell"].values[nearest], -1)
    return cell, inside


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


def cell_drivers(forcing: xr.Dataset, cover: xr.Dataset, driver_set: str, satellites: bool) -> xr.Dataset:
    """``drivers.nc`` of grid cells: the forcing as read, plus IGBP class and static attributes.

    Parameters
    ----------
    forcing
        Stored drivers over (cell, time[, ...]) with coordinates ``lat``, ``lon`` on the cell axis and attribute
        ``grid_degrees``.
    cover
        ``plant_fraction(cell, year, plant_type)``, ``vegetated_fraction(cell, year)``, ``age_weight(cell, age)``.
    driver_set, satellites
        As in the configuration.

    Raises
    ------
    ValueError
        When a driver is missing or NaN.
    """
    names = [name for name in _ATTRIBUTE_DRIVERS if name in forcing.variables]
    for name in stored_variables(driver_set):
        if name not in forcing:
            raise ValueError(
                f"the simulation's forcing lacks '{name}', which driver_set '{driver_set}' needs; use the other "
                "driver_set or complete the folder"
            )
        if name not in names:
            names.append(name)
    igbp, static = [], []
    for block, part in loaded_blocks(forcing[names]):
        for name in stored_variables(driver_set):
            if bool(part[name].isnull().any()):
                raise ValueError(f"driver '{name}' of the simulation's forcing holds NaN; cells must be complete")
        classes, attributes = _cell_attributes(part, cover.isel(cell=block), satellites)
        igbp += classes
        static.append(attributes)
    first = str(np.datetime_as_string(forcing["time"].values[0], unit="M"))
    result = forcing.assign_coords(igbp=("cell", igbp), attribute=list(ATTRIBUTES))
    result["static"] = (("cell", "attribute"), np.concatenate(static))
    result.attrs |= {"driver_set": driver_set, "start_month": first}
    return result


def _cell_attributes(forcing: xr.Dataset, cover: xr.Dataset, satellites: bool) -> tuple[list[str], NDArray[np.float32]]:
    """IGBP classes and static attributes of a block of cells."""
    climate = climate_of(forcing)
    fraction, vegetated = first_year_cover(cover)
    igbp = derived_igbp(climate, fraction, vegetated)
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
    return igbp, static


def member_drivers(
    members: xr.Dataset, towers: xr.Dataset, site: NDArray, soil_depth: NDArray, satellites: bool, own_satellites: bool
) -> xr.Dataset:
    """``drivers.nc`` of forcing members: climate attributes from the (perturbed) forcing, the rest from the site.

    Parameters
    ----------
    members
        The eight drivers over (cell, time).
    towers
        Canonical towers with ``static`` and cover.
    site
        (cell,) index of each member's site.
    soil_depth
        (cell,) mm.
    satellites
        As in the configuration.
    own_satellites
        Whether satellite attributes are those of the site's record, or of the member's satellite channels.
    """
    of_site = towers["static"].transpose("site", "attribute").values[site]
    static = static_attributes(
        climate_of(members),
        towers["igbp"].values.astype(str)[site].tolist(),
        towers["lat"].values[site],
        first_year_cover(towers)[0][site],
        mean_age(towers)[site],
        elevation=of_site[:, ATTRIBUTES.index("elevation")],
        soil_depth=soil_depth / 1000.0,
        satellites=satellites and not own_satellites,
    )
    if satellites and own_satellites:
        # the site's whole record: a member's few years may lie before the satellites
        seen = [ATTRIBUTES.index(name) for name in SATELLITE_MEANS]
        static[:, seen] = of_site[:, seen]
    result = members.assign_coords(
        igbp=("cell", towers["igbp"].values.astype(str)[site].astype(object)), attribute=list(ATTRIBUTES)
    )
    result["static"] = (("cell", "attribute"), static)
    first = str(np.datetime_as_string(members["time"].values[0], unit="M"))
    # no grid behind them: a grid size of 0 says so
    result.attrs |= {"driver_set": "monthly8", "start_month": first, "grid_degrees": 0.0}
    return result


def drivers_from_cells(towers: xr.Dataset, forcing: xr.Dataset) -> Completed:
    """Drivers of the covering cell for driver sets that towers do not measure; every month counts as filled.

    The record is cut to the months of the forcing (`labels.make_labels` counts the labels beyond them); sites without
    such a month are dropped.

    Parameters
    ----------
    towers
        Interim towers with coordinate ``cell`` and ``in_record``.
    forcing
        Stored drivers over (cell, time[, ...]).
    """
    position = positions(towers["cell"].values, forcing)
    wanted, known = month_number(towers["time"].values), month_number(forcing["time"].values)
    covered = np.isin(wanted, known)
    record = towers["in_record"].transpose("site", "time").values.astype(bool) & covered
    keep = record.any(1)
    dropped = {
        str(site): f"site {site} has no month within the simulation's, at least one is needed; lengthen the simulation"
        for site in towers["site"].values[~keep]
    }
    if not keep.any():
        raise ValueError(f"{next(iter(dropped.values()), 'there is no site')}; this holds for all sites")
    for sentence in dropped.values():
        log.warning("%s; it is dropped", sentence)
    result = towers.drop_vars(list(towers.data_vars)).isel(site=keep)
    month = (wanted - known[0]).clip(0, len(known) - 1)
    names = [name for name in forcing.data_vars if name in stored_variables("carbonglobe136")]
    of_sites = take(forcing[names], position[keep])
    for name in names:
        variable = of_sites[name]
        rest = [dim for dim in variable.dims if dim not in ("cell", "time")]
        if "time" not in variable.dims:
            result[name] = (("site", *rest), variable.transpose("cell", *rest).values, variable.attrs)
            continue
        values = variable.transpose("cell", "time", *rest).values[:, month]
        mask = record[keep].reshape(keep.sum(), len(wanted), *[1] * len(rest))
        result[name] = (("site", "time", *rest), np.where(mask, values, np.nan).astype(np.float32), variable.attrs)
    if "soil_property" in forcing.coords:
        result = result.assign_coords(soil_property=forcing["soil_property"])
    result["record"] = (("site", "time"), record[keep])
    result["driver_filled"] = (("site", "time"), record[keep])
    counts = pd.DataFrame(
        {
            "site": result["site"].values.astype(str),
            "step": "drivers",
            "reason": "all: covering cell",
            "months": record[keep].sum(1),
        }
    )
    return Completed(result, counts, dropped)


def mean_age(cover: xr.Dataset) -> NDArray[np.float64]:
    """Mean stand age in years of each member from ``age_weight(member, age)``."""
    return (cover["age_weight"] * cover["age"]).sum("age").values
