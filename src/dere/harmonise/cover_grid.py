"""Plant-type maps on the run's grid: as they are where the grids agree, else regridded conservatively."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Iterator

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.harmonise.regrid import Regridder

log = logging.getLogger(__name__)

SAME = 1e-3
"""Largest distance between centres of one cell on two grids, in cell sizes."""
OF_THE_CELL = ("layer_fraction", "land_fraction")
"""Shares of the whole map cell, water included; all others are shares of its land or of its vegetation."""


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

    A map cell counts with the area of land that it shares with a cell of the run, for plant fractions that sum to 1
    with the vegetated part of that land: so the shares are those of the means of the layers. Map cells without land
    are left out, so that coasts take what their land has.

    Parameters
    ----------
    grid
        ``plant_fraction`` (year, lat, lon, plant_type), ``vegetated_fraction`` (year, lat, lon) and further shares of
        the land; ``land_fraction`` (year, lat, lon), without which every cell with a vegetated fraction is all land;
        shares of the cell (``OF_THE_CELL``), which count by area; on a regular grid. Values keep their precision.
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
    if not (np.diff(lon) > 0).all():
        grid = grid.sortby("lon")
    regridder = Regridder.between(lat, grid["lon"].values, *run_grid(degrees))
    log.info("plant-type maps of %d x %d cells are regridded to %g degrees", len(lat), len(lon), degrees)
    result = xr.Dataset(coords=grid.drop_vars(["lat", "lon"]).coords, attrs=grid.attrs)
    for name, variable in grid.data_vars.items():
        if not {"lat", "lon"} <= set(variable.dims):
            result[name] = variable
            continue
        dated = ["year"] if "year" in variable.dims else []
        leading = [dim for dim in variable.dims if dim not in ("year", "lat", "lon")]
        values = variable.transpose(*dated, *leading, "lat", "lon").values
        # one year and one field at a time bound the memory, which takes them in double precision
        means = [
            np.stack([regridder.mean(field, weight) for field in year.reshape(-1, *year.shape[-2:])])
            for year, weight in zip(values if dated else values[None], _weights(grid, name, bool(dated)), strict=True)
        ]
        shape = (*values.shape[:-2], *regridder.area.shape)
        mean = np.stack(means).reshape(shape).astype(values.dtype)
        result[name] = ((*dated, *leading, "lat", "lon"), mean, variable.attrs)
        result[name] = result[name].transpose(*variable.dims)
    return result.assign_coords(lat=regridder.lat, lon=regridder.lon)


def _weights(grid: xr.Dataset, name: Hashable, dated: bool) -> Iterator[NDArray | None]:
    """Yield the weight of each map cell in a variable's mean, year by year or once; None = the same everywhere."""
    shares = [grid[share] for share in ("land_fraction",) if share in grid and name not in OF_THE_CELL]
    if name == "plant_fraction" and grid[name].attrs.get("renormalised") != "no":
        shares.append(grid["vegetated_fraction"])
    for year in range(grid.sizes["year"]) if dated else [None]:
        fields = [share.mean("year") if year is None else share.isel(year=year) for share in shares]
        weights = [field.transpose("lat", "lon").values.astype(np.float64) for field in fields]
        yield np.prod(weights, axis=0) if weights else None
