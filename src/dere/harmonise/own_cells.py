"""Towers whose drivers and simulated states are their own: further cells of the forcing, marked by their site.

Such cells (coordinate ``tower`` of the forcing, empty for cells of the grid) serve that tower alone: they are no
training members, have no place on the grid and are left out of the canonical cells.
"""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.harmonise.cells import covering_cell
from dere.harmonise.gaps import Completed, count_months

log = logging.getLogger(__name__)


def owners(forcing: xr.Dataset) -> NDArray[np.str_]:
    """Site of each cell (cell,); empty for cells of the grid."""
    if "tower" not in forcing.coords:
        return np.full(forcing.sizes["cell"], "")
    return forcing["tower"].values.astype(str)


def on_grid(dataset: xr.Dataset, forcing: xr.Dataset) -> xr.Dataset:
    """Cells of the grid only, without the coordinate ``tower``; ``dataset`` has the cell axis of the forcing."""
    of_grid = owners(forcing) == ""
    chosen = dataset if of_grid.all() else dataset.isel(cell=np.flatnonzero(of_grid))
    return chosen.drop_vars("tower", errors="ignore")


def place(towers: xr.Dataset, forcing: xr.Dataset) -> tuple[xr.Dataset, dict[str, str]]:
    """Give each tower the cell of its drivers: its own, else the grid cell that covers it.

    Parameters
    ----------
    towers
        Interim towers.
    forcing
        With coordinates ``cell``, ``lat``, ``lon`` and attribute ``grid_degrees`` (0 = places are unknown).

    Returns
    -------
    tuple
        Towers that have one, with ``cell``, ``cell_inside`` and ``own_cell`` (site); site to sentence of the others.
    """
    sites = towers["site"].values.astype(str)
    cell, inside = covering(towers, forcing)
    number = dict(zip(owners(forcing), forcing["cell"].values, strict=True))
    number.pop("", None)
    own = np.array([site in number for site in sites], bool)
    cell = np.where(own, [number.get(site, -1) for site in sites], cell)
    lost = {
        site: f"site {site} has no land cell of the simulation within 1.5 cells, one is needed for its initial state; "
        "correct its coordinates or leave it out"
        for site in sites[cell < 0]
    }
    for sentence in lost.values():
        log.warning("%s; it is dropped", sentence)
    placed = towers.assign_coords(
        cell=("site", cell.astype(np.int64)), cell_inside=("site", inside | own), own_cell=("site", own)
    )
    return placed.isel(site=cell >= 0), lost


def covering(towers: xr.Dataset, forcing: xr.Dataset) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Grid cell that covers each tower, -1 where there is none, and whether it holds the tower."""
    degrees = float(forcing.attrs["grid_degrees"])
    if not degrees:
        return np.full(towers.sizes["site"], -1), np.zeros(towers.sizes["site"], bool)
    cells = on_grid(forcing[["lat", "lon"]], forcing)
    return covering_cell(towers["lat"].values, towers["lon"].values, cells, degrees)


def as_own(completed: Completed) -> Completed:
    """Drivers that are a tower's own are not filled: flags and counts say so."""
    dataset = completed.dataset
    if "own_cell" not in dataset.coords or not bool(dataset["own_cell"].any()):
        return completed
    own = dataset["own_cell"].astype(bool)
    sites = dataset["site"].values[own.values].astype(str)
    others = completed.counts[~completed.counts["site"].isin(sites)]
    months = count_months(sites, "all: the tower's own arrays", dataset["record"].values[own.values])
    counts = pd.concat([others, months], ignore_index=True)
    return replace(completed, dataset=dataset.assign(driver_filled=dataset["driver_filled"] & ~own), counts=counts)


def after_use(towers: xr.Dataset, forcing: xr.Dataset) -> xr.Dataset:
    """Towers with the grid cell that covers them as ``cell``, once drivers and states were taken from their own."""
    if not bool(towers["own_cell"].any()):
        return towers.drop_vars("own_cell")
    cell, inside = covering(towers, forcing)
    own = towers["own_cell"].values
    return towers.drop_vars("own_cell").assign_coords(
        cell=("site", np.where(own, cell, towers["cell"].values)),
        cell_inside=("site", np.where(own, inside, towers["cell_inside"].values)),
    )
