"""From predictions of a block of cells to what maps show of it: the mean of folds and seeds, by month and year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr

from dere.cell_files import cell_blocks, joined, part_of
from dere.exchange.base import Exchange
from dere.harmonise.axis import month_number, monthly_climatology
from dere.ingest.alignment import require_same_axes
from dere.ingest.months import mid_months
from dere.intervals.neighbours import CLIMATE
from dere.io import write_netcdf
from dere.products.annual import annual_means, cell_errors
from dere.products.run_mean import RUN_AXES, mean_of_runs

WRITTEN = (0.05, 0.5, 0.95)
"""Quantiles of the maps."""
WAVES = "waves"
"""Variable (cell,) of what one fold and seed predicts: from ``Calibrator.waves`` of the whole record."""
ABOUT = ("lat", "lon", "land_fraction", "cell_area")
YEAR = 12


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


class Kept(NamedTuple):
    """Files of one block: monthly and annual means, the latter None without a whole year, and each fold and seed."""

    monthly: Path
    annual: Path | None
    runs: list[Path]


def together(kept: Sequence[Kept], abouts: Sequence[xr.Dataset], degrees: float) -> Blocks:
    """Files of all blocks.

    Parameters
    ----------
    kept
        By block.
    abouts
        From `about_cells`, by block.
    degrees
        Cell size.
    """
    return Blocks(
        monthly=[block.monthly for block in kept],
        annual=[block.annual for block in kept if block.annual is not None],
        runs=[list(paths) for paths in zip(*(block.runs for block in kept), strict=True)],
        about=joined(abouts).assign_attrs(grid_degrees=degrees),
    )


def keep_block(runs: Sequence[xr.Dataset], folder: Path, exchange: Exchange) -> Kept:
    """Write what maps and totals need of a block.

    Parameters
    ----------
    runs
        ``prediction(cell, time, flux)`` and what goes with it, of each fold and seed.
    folder
        Where the files go.
    exchange
        What is predicted.
    """
    paths = []
    for number, run in enumerate(runs):
        means = run.drop_vars(["std", "quantile_value", "quantile", "plant_fraction"], errors="ignore")
        if (known := cell_errors(run, exchange)) is not None:
            error, scale = known
            means[WAVES] = ("cell", error.waves(scale))
        paths.append(write_netcdf(means, folder / f"run{number}.nc", compress=False))
    annual = [annual_means(run, exchange) for run in runs]
    of_years = _shown(mean_of_runs(annual), folder / "annual.nc") if annual[0].sizes["time"] else None
    return Kept(_shown(mean_of_runs(runs), folder / "monthly.nc"), of_years, paths)


def blocks_of_runs(
    runs: Mapping[str, xr.Dataset], cover: xr.Dataset, drivers: xr.Dataset, folder: Path, exchange: Exchange
) -> Blocks:
    """Write what maps and totals need of predictions in cells, which may be larger than memory.

    Parameters
    ----------
    runs
        Predictions of folds and seeds by a name for messages, lazy.
    cover, drivers
        The canonical set of the same cells, lazy.
    folder
        Where the files go.
    exchange
        What is predicted.

    Raises
    ------
    ValueError
        When the runs, or the files of cells, do not belong together.
    """
    require_same_axes(runs, RUN_AXES)
    first = next(iter(runs.values()))
    require_same_axes({"the predictions": first, "drivers.nc": drivers, "cover.nc": cover}, ("cell",))
    kept, abouts = [], []
    read = drivers[[*(name for name in CLIMATE if name in drivers)]].assign_coords({n: drivers[n] for n in ABOUT})
    for number, rows in enumerate(cell_blocks(first.sizes["cell"])):
        here = part_of({"drivers": read, "cover": cover[[exchange.area]]}, rows)
        abouts.append(about_cells(here["drivers"].assign({exchange.area: here["cover"][exchange.area]}), exchange))
        kept.append(keep_block(list(part_of(runs, rows).values()), folder / str(number), exchange))
    return together(kept, abouts, float(drivers.attrs["grid_degrees"]))


def about_cells(block: xr.Dataset, exchange: Exchange) -> xr.Dataset:
    """What maps and totals need to know of cells.

    Parameters
    ----------
    block
        Coordinates ``cell`` and `ABOUT`, `CLIMATE` over time, and the share of the land that fluxes are per
        (cell, year).
    exchange
        What is predicted.
    """
    area = exchange.area
    made = xr.Dataset(
        {area: block[area].transpose("cell", "year").astype(np.float64).drop_vars(ABOUT, errors="ignore")},
        coords={name: ("cell", block[name].values.astype(float)) for name in ABOUT},
    ).assign_coords(cell=block["cell"].values, time=mid_months(2001 * YEAR, YEAR))
    for name in (name for name in CLIMATE if name in block):
        values = block[name].transpose("cell", "time").values.astype(float)
        month = month_number(block["time"].values) % YEAR
        made[name] = (("cell", "time"), monthly_climatology(values, month))
    return made


def _shown(mean: xr.Dataset, path: Path) -> Path:
    """Write what maps show of a block."""
    shown = mean.drop_vars(["plant_fraction", "year", "plant_type"], errors="ignore")
    if "quantile" in shown.coords:
        shown = shown.sel(quantile=list(WRITTEN), method="nearest")
    return write_netcdf(shown, path, compress=False)
