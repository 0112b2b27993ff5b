"""Maps of fields of one's own, written from blocks of cells: what is held at a time is some months of the grid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import netCDF4
import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.config.products import ProductsConfig
from dere.exchange.base import Exchange
from dere.io import read_netcdf, write_netcdf, write_table
from dere.products.annual import whole_years
from dere.products.attributes import Provenance
from dere.products.dataset import Frequency, product_dataset
from dere.products.files import ANNUAL, FILL, product_name, write_product
from dere.products.fluxes import land_fluxes
from dere.products.grid import Grid
from dere.products.total_intervals import std_of_totals, totals_of_cells, with_intervals
from dere.products.totals import TOTALS, totals

VALUES = 1 << 24
"""Values of one variable that are held at a time."""
WAVES = "waves"
"""Variable (cell,) of what one fold and seed predicts: from ``Calibrator.waves`` of the whole record."""
STATUS, LOST = "cells.nc", "cells_not_predicted.csv"
MEANINGS = ("no_land_in_the_fields", "predicted", "not_predicted")
OUTSIDE, PREDICTED, NOT_PREDICTED = range(len(MEANINGS))


class Blocks(NamedTuple):
    """Files of blocks of cells.

    Parameters
    ----------
    monthly, annual
        Predictions as maps show them, by block; ``annual`` is empty without a whole year.
    runs
        Predictions of each fold and seed, by block, with `WAVES` where the method states an error model.
    about
        All predicted cells: ``lat``, ``lon``, ``land_fraction``, ``cell_area``, the share of the land that fluxes are
        per (cell, year), temperature and rain over a year; attribute ``grid_degrees``.
    """

    monthly: Sequence[Path]
    annual: Sequence[Path]
    runs: Sequence[Sequence[Path]]
    about: xr.Dataset


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
    first, last = (str(np.datetime64(time[at], "M")) for at in (0, -1))
    paths = [folder / product_name(flux.stem, first, last, config.name, frequency) for flux in exchange.fluxes]
    for number, part in enumerate(_in_slices(parts, len(time), Grid(float(about.attrs["grid_degrees"])))):
        land = land_fluxes(part, about[exchange.area], exchange)
        for flux, path in zip(exchange.fluxes, paths, strict=True):
            dataset = product_dataset(flux.name, land, about, config, provenance, exchange, frequency)
            if number:
                _append(dataset, path)
            else:
                write_product(dataset, path, config.compression)
    return paths


def _in_slices(parts: Sequence[Path], months: int, grid: Grid) -> Iterator[xr.Dataset]:
    """Blocks beside each other, so many months at a time as `VALUES` allow."""
    size = max(1, VALUES // (grid.shape[0] * grid.shape[1]))
    for start in range(0, months, size):
        yield joined(parts, np.arange(start, min(start + size, months)))


def joined(parts: Sequence[Path], rows: NDArray[np.int64]) -> xr.Dataset:
    """Some months of all blocks."""
    some = []
    for path in parts:
        with read_netcdf(path, load=False) as file:
            some.append(file.isel(time=rows).load())
    return xr.concat(some, "cell", data_vars="minimal", coords="minimal", compat="override", combine_attrs="override")


def _append(dataset: xr.Dataset, path: Path) -> None:
    """Add further months to a file of a flux."""
    with netCDF4.Dataset(path, "a") as file:
        after = slice(len(file.dimensions["time"]), len(file.dimensions["time"]) + dataset.sizes["time"])
        for name, variable in dataset.variables.items():
            if variable.dims[:1] == ("time",):
                values = np.asarray(variable.values)
                file[str(name)][after] = np.where(np.isnan(values), FILL, values) if variable.ndim > 1 else values


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
            run = joined(parts, rows)
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
