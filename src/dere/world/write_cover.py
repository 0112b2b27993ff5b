"""Plant-type maps as aggregated ESA CCI files and the table of stand-age weights (docs/world.md)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.invented import WORLD
from dere.io import write_netcdf, write_table
from dere.world.geography import Grid, Land
from dere.world.landscape import LAYERS

Array = NDArray[np.float64]

_TIME = {
    "standard_name": "time",
    "units": "days since 1970-01-01 00:00:00",
    "calendar": "standard",
    "bounds": "time_bounds",
}


def cover_map(land: Land, layers: Array, year: int) -> xr.Dataset:
    """One year's map in the product's names, percent of the whole cell, ocean as WATER, latitude descending.

    As in the product, ``time`` counts days since 1970 and has ``time_bounds``; here these hold the calendar year, and
    ``time`` is its first day.

    Parameters
    ----------
    land
        Land cells.
    layers
        (cell, 14) percent of the land, rows sum to 100.
    year
        Calendar year.
    """
    grid: Grid = land.grid
    whole = np.zeros((grid.lat.size * grid.lon.size, len(LAYERS)))
    water = LAYERS.index("WATER")
    whole[:, water] = 100.0
    whole[land.cell] = layers * land.land_fraction[:, None]
    whole[land.cell, water] += 100 * (1 - land.land_fraction)
    on_grid = whole.reshape(1, *grid.shape, len(LAYERS))
    dry = np.zeros(len(whole))
    dry[land.cell] = 100 * land.land_fraction
    data = {
        name: (("time", "lat", "lon"), on_grid[..., i].astype(np.float32), {"units": "%", "long_name": name})
        for i, name in enumerate(LAYERS)
    }
    data["LAND"] = (("time", "lat", "lon"), dry.reshape(1, *grid.shape).astype(np.float32), {"units": "%"})
    half = grid.degrees / 2
    edges = np.array([[f"{year}-01-01", f"{year + 1}-01-01"]], dtype="datetime64[D]").astype(float)  # days since 1970
    return xr.Dataset(
        {
            **data,
            "time_bounds": (("time", "bounds"), edges),
            "lat_bounds": (("lat", "bounds"), np.stack([grid.lat + half, grid.lat - half], axis=1)),
            "lon_bounds": (("lon", "bounds"), np.stack([grid.lon - half, grid.lon + half], axis=1)),
        },
        coords={
            "time": ("time", edges[:, 0], _TIME),
            "lat": ("lat", grid.lat, {"standard_name": "latitude", "units": "degrees_north", "bounds": "lat_bounds"}),
            "lon": ("lon", grid.lon, {"standard_name": "longitude", "units": "degrees_east", "bounds": "lon_bounds"}),
        },
        attrs={"title": "Plant functional types of the built-in world", "source": WORLD, "product_version": "2.0.8"},
    )


def weight_columns(weight: Array) -> dict[str, Array]:
    """Columns weight_1 ... weight_n from (row, age), rounded so that rows still sum to 1 within 1e-6."""
    return {f"weight_{i + 1}": np.round(weight[:, i], 8) for i in range(weight.shape[1])}


def write_cover(folder: Path, land: Land, layers: Array, age_weight: Array, start_year: int) -> int:
    """Write ``raw/cover``; returns the number of files.

    Parameters
    ----------
    folder
        Target folder.
    land
        Land cells.
    layers
        (cell, year, 14) percent of the land as mapped.
    age_weight
        (cell, age) as tabulated.
    start_year
        First year of the maps.
    """
    for index in range(layers.shape[1]):
        year = start_year + index
        name = f"ESACCI-LC-L4-PFT-Map-300m-P1Y-aggregated-{year}-v2.0.8.nc"
        write_netcdf(cover_map(land, layers[:, index], year), folder / name)
    table = pd.DataFrame({"lat": land.lat, "lon": land.lon, **weight_columns(age_weight)})
    write_table(table, folder / "lat_lon_age_weights.csv")
    return layers.shape[1] + 1


def site_tables(
    sites: Sequence[str], layers: Array, age_weight: Array, start_year: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Plant types by site and year (percent, pixel mean) and age weights by site."""
    years = layers.shape[1]
    plants = pd.DataFrame(
        {
            "SITE_ID": np.repeat(list(sites), years),
            "year": np.tile(np.arange(start_year, start_year + years), len(sites)),
            **{name: np.round(layers[..., i].ravel(), 5) for i, name in enumerate(LAYERS)},
        }
    )
    ages = pd.DataFrame({"SITE_ID": list(sites), **weight_columns(age_weight)})
    return plants, ages
