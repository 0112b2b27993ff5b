"""Maps written from the files of blocks of cells: what is held at a time is some months of the grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.cell_files import month_slices, some_months
from dere.config.products import ProductsConfig
from dere.exchange.base import Exchange
from dere.io import read_netcdf, write_netcdf, write_table
from dere.products.annual import whole_years
from dere.products.attributes import Provenance
from dere.products.dataset import Frequency
from dere.products.files import ANNUAL, write_slices
from dere.products.grid import Grid
from dere.products.map_blocks import WAVES, Blocks
from dere.products.total_intervals import std_of_totals, totals_of_cells, with_intervals
from dere.products.totals import TOTALS, totals

STATUS, LOST = "cells.nc", "cells_not_predicted.csv"
MEANINGS = ("no_land_in_the_fields", "predicted", "not_predicted")
OUTSIDE, PREDICTED, NOT_PREDICTED = range(len(MEANINGS))


def write_maps(
    blocks: Blocks, folder: Path, config: ProductsConfig, provenance: Provenance, exchange: Exchange
) -> pd.DataFrame:
    """Write monthly and annual maps and the totals into ``folder``, and return the totals; as those of a run."""
    about = blocks.about
    paths = _written(blocks.monthly, about, folder, config, provenance, exchange, "mon")
    if blocks.annual:
        _written(blocks.annual, about, folder / ANNUAL, config, provenance, exchange, "yr")
    table = _totals(paths, blocks, exchange)
    write_table(table, folder / TOTALS)
    return table


def write_status(status: NDArray[np.int8], lost: pd.DataFrame, degrees: float, folder: Path) -> None:
    """Write the map of what became of each cell, and the table of those that are not predicted.

    Parameters
    ----------
    status
        (row, column) of the grid from south to north.
    lost
        cell, lat, lon, reason.
    """
    grid = Grid(degrees)
    about = {
        "long_name": "what became of the cell",
        "flag_values": np.arange(len(MEANINGS), dtype=np.int8),
        "flag_meanings": " ".join(MEANINGS),
    }
    axes = {
        "lat": ("lat", grid.lat, {"units": "degrees_north", "standard_name": "latitude"}),
        "lon": ("lon", grid.lon, {"units": "degrees_east", "standard_name": "longitude"}),
    }
    dataset = xr.Dataset({"status": (("lat", "lon"), status, about)}, coords=axes, attrs={"Conventions": "CF-1.8"})
    write_netcdf(dataset, folder / STATUS)
    write_table(lost, folder / LOST)


def _written(
    parts: Sequence[Path],
    about: xr.Dataset,
    folder: Path,
    config: ProductsConfig,
    provenance: Provenance,
    exchange: Exchange,
    frequency: Frequency,
) -> list[Path]:
    """Write one file per flux, some months of the grid at a time."""
    with read_netcdf(parts[0], load=False) as file:
        time = file["time"].values
    grid = Grid(float(about.attrs["grid_degrees"]))
    some = (some_months(parts, rows) for rows in month_slices(len(time), math.prod(grid.shape)))
    return write_slices(some, time, about, about, folder, config, provenance, exchange, frequency)


def _totals(paths: Sequence[Path], blocks: Blocks, exchange: Exchange) -> pd.DataFrame:
    """Annual totals with intervals, summed year by year, in the order of a run's table."""
    about = blocks.about
    tables: list[pd.DataFrame] = [totals({}, exchange)]
    stds: list[list[pd.Series]] = [[] for _ in blocks.runs]
    means: list[list[pd.DataFrame]] = [[] for _ in blocks.runs]
    with read_netcdf(blocks.monthly[0], load=False) as file:
        years = whole_years(file["time"].values)
    for rows in years.values():
        maps = {}
        for name, path in zip(exchange.names, paths, strict=True):
            with read_netcdf(path, load=False) as product:
                maps[name] = product.isel(time=rows).load()
        tables.append(totals(maps, exchange))
        for number, parts in enumerate(blocks.runs):
            run = some_months(parts, rows)
            waves = run[WAVES].values if WAVES in run else None
            stds[number].append(std_of_totals(run, about[exchange.area], about, exchange, waves))
            means[number].append(totals_of_cells(run, about[exchange.area], about, exchange))
    table = pd.concat([each for each in tables if len(each)] or tables, ignore_index=True)
    order = table["flux"].map({name: at for at, name in enumerate(exchange.names)})
    table = table.iloc[np.argsort(order.to_numpy(), kind="stable")].reset_index(drop=True)
    if not years:
        return table
    scatter = [pd.concat(each, ignore_index=True) for each in means] if len(means) > 1 else []
    return with_intervals(table, [pd.concat(each) for each in stds], scatter, exchange)
