"""Plant-type maps on the run's grid: as they are where the grids agree, else regridded conservatively."""

from __future__ import annotations

import logging

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.harmonise.regrid import Regridder

log = logging.getLogger(__name__)

SAME = 1e-3
"""Largest distance between centres of one cell on two grids, in cell sizes."""


def run_grid(degrees: float) -> tuple[NDArray, NDArray]:
    """Centres of the global grid of a run: latitudes from the north, longitudes from -180."""
    rows, columns = round(180 / degrees), round(360 / degrees)
    return 90.0 - degrees * (np.arange(rows) + 0.5), -180.0 + degrees * (np.arange(columns) + 0.5)


def same_cells(lat: NDArray, lon: NDArray, degrees: float) -> bool:
    """Whether a map's cells are cells of the run's grid, in any order and from any meridian; a region of it will do."""
    if min(len(lat), len(lon)) < 2:
        # one row or column has no size of its own, its place must do
        steps = [degrees]
    else:
        steps = [float(np.abs(np.diff(axis)).mean()) for axis in (np.sort(lat), np.sort(lon))]
    if any(abs(step / degrees - 1) > SAME for step in steps):
        return False
    offsets = np.concatenate([(90.0 - np.asarray(lat)) / degrees, (np.asarray(lon) + 180.0) / degrees]) - 0.5
    return bool(np.abs(offsets - np.round(offsets)).max() <= SAME)


def maps_on_grid(grid: xr.Dataset, degrees: float, rule: str) -> xr.Dataset:
    """Plant-type maps on the run's grid.

    A map cell counts with the area it shares with a cell of the run, plant fractions also with their vegetated
    fraction; map cells without land are left out, so that coasts take what their land has.

    Parameters
    ----------
    grid
        ``plant_fraction`` (year, lat, lon, plant_type), ``vegetated_fraction`` (year, lat, lon) and further shares of
        the land, on a regular grid.
    degrees
        Cell size of the run; 0 = its cells are no grid.
    rule
        ``conservative`` or ``refuse``: what to do with maps on another grid.

    Raises
    ------
    ValueError
        When the grids differ and ``rule`` is ``refuse``, or the map's grid is not regular.
    """
    lat, lon = grid["lat"].values, grid["lon"].values
    if not degrees or same_cells(lat, lon, degrees):
        return grid
    if rule == "refuse":
        raise ValueError(
            f"the plant-type maps have {len(lat)} x {len(lon)} cells, first centre {lat[0]:g}, {lon[0]:g}, and the run "
            f"a grid of {degrees:g} degrees; aggregate them to it or set harmonise.regrid to conservative"
        )
    order = np.argsort(lon)
    grid = grid.isel(lon=order)
    regridder = Regridder.between(lat, lon[order], *run_grid(degrees))
    log.info("plant-type maps of %d x %d cells are regridded to %g degrees", len(lat), len(lon), degrees)
    result = xr.Dataset(coords=grid.drop_vars(["lat", "lon"]).coords, attrs=grid.attrs)
    vegetated = grid["vegetated_fraction"].transpose("year", "lat", "lon").values
    for name, variable in grid.data_vars.items():
        if not {"lat", "lon"} <= set(variable.dims):
            result[name] = variable
            continue
        dated = "year" in variable.dims
        leading = [dim for dim in variable.dims if dim not in ("year", "lat", "lon")]
        values = variable.transpose(*(["year"] if dated else []), *leading, "lat", "lon").values
        values = values if dated else values[None]
        weight = vegetated.reshape(len(vegetated), *[1] * len(leading), *vegetated.shape[1:])
        # shares of the land count by area alone, like the vegetated fraction itself
        weighted = name == "plant_fraction" and variable.attrs.get("renormalised") != "no"
        # one year at a time bounds the memory
        means = [regridder.mean(year, weight[i] if weighted else None) for i, year in enumerate(values)]
        if dated:
            result[name] = (("year", *leading, "lat", "lon"), np.stack(means), variable.attrs)
        else:
            result[name] = ((*leading, "lat", "lon"), means[0], variable.attrs)
        result[name] = result[name].transpose(*variable.dims)
    return result.assign_coords(lat=regridder.lat, lon=regridder.lon)
