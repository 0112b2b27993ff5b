"""The raw process model at towers: age-weighted mixture, and the simulated state before each window (files provider).

Towers take the values of the cell that holds them. Months that the simulation does not reach take its mean of the
same calendar month, so that the method ``simulation`` predicts every month of every record.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.blocks import block_slices, slices, take
from dere.harmonise.axis import month_number, monthly_climatology
from dere.harmonise.stands import masked_stands
from dere.variables import MIXTURE, STANDS


def age_weighted(state: NDArray, weight: NDArray) -> NDArray[np.float32]:
    """Sum over ages; ``state`` (member, age, ...), ``weight`` (member, age)."""
    return np.einsum("ma...,ma->m...", state, weight.astype(np.float32), optimize=True).astype(np.float32)


def simulated_from_cells(
    simulation: xr.Dataset, position: NDArray, age_weight: NDArray, time: NDArray
) -> NDArray[np.float32]:
    """Age-weighted mixture of the covering cells on the towers' time axis.

    Parameters
    ----------
    simulation
        ``state`` (cell, stand, age, time, target).
    position
        (site,) position of the covering cell on the cell axis.
    age_weight
        (site, age).
    time
        (time,) the towers' months.

    Returns
    -------
    array
        (site, time, target), complete.
    """
    mixture = simulation["state"].sel(stand="mixture").transpose("cell", "age", "time", "target")
    own = np.stack(
        [
            age_weighted(mixture[cell].values[None], weight[None])[0]
            for cell, weight in zip(position, age_weight, strict=True)
        ]
    )
    simulated_months = month_number(simulation["time"].values)
    wanted = month_number(time)
    cycle = monthly_climatology(np.moveaxis(own, 1, -1), simulated_months % 12)
    result = np.moveaxis(cycle, -1, 1)[:, wanted % 12].astype(np.float32)
    inside = np.isin(wanted, simulated_months)
    result[:, inside] = own[:, wanted[inside] - simulated_months[0]]
    return result


def initial_from_cells(simulation: xr.Dataset, position: NDArray, first: NDArray) -> NDArray[np.float32]:
    """Simulated state of the month before each window.

    Before the simulation's start it is the initial state; after its end the last simulated state of the same calendar
    month, so that the season is right. A pure stand that was not simulated there starts from the mixture's state, as in
    the published code.

    Parameters
    ----------
    simulation
        ``state`` (cell, stand, age, time, target) and ``initial_state`` (cell, stand, age, target).
    position
        (window,) position of the covering cell.
    first
        (window,) month number of each window's first month.

    Returns
    -------
    array
        (window, stand, age, target).
    """
    months = simulation.sizes["time"]
    start = int(month_number(simulation["time"].values[:1])[0])
    before = np.asarray(first) - 1 - start
    late = np.maximum(before - (months - 1), 0)
    before = before - -(-late // 12) * 12
    state = simulation["state"].transpose("cell", "stand", "age", "time", "target").values
    initial = simulation["initial_state"].transpose("cell", "stand", "age", "target").values
    rows = [
        state[cell, :, :, month] if month >= 0 else initial[cell] for cell, month in zip(position, before, strict=True)
    ]
    chosen = np.stack(rows).astype(np.float32)
    return np.where(np.isnan(chosen), chosen[:, MIXTURE : MIXTURE + 1], chosen)


def states_at_towers(
    simulation: xr.Dataset, pure: xr.DataArray | None, towers: xr.Dataset, position: NDArray
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Simulated series of towers and the states before their windows, reading only the cells that hold a tower.

    Parameters
    ----------
    simulation
        As ingested, in memory or as dask arrays: then as many cells as a block has are held at a time.
    pure
        As from ``dere.harmonise.stands.pure_samples``.
    towers
        With ``age_weight`` (site, age), ``time``, ``window_site`` and ``window_start`` (window).
    position
        (site,) position of the covering cell on the cell axis.

    Returns
    -------
    simulated, initial
        (site, time, target) and (window, stand, age, target).
    """
    weight = towers["age_weight"].transpose("site", "age").values
    first = month_number(towers["time"].values[:1])[0] + towers["window_start"].values
    of_window = position[towers["window_site"].values]
    cells = np.unique(position)
    at_once = max(block.stop - block.start for block in block_slices(simulation)) if simulation.chunks else len(cells)
    ages, targets = simulation.sizes["age"], simulation.sizes["target"]
    simulated = np.empty((len(position), towers.sizes["time"], targets), np.float32)
    initial = np.empty((len(of_window), len(STANDS), ages, targets), np.float32)
    for group in slices(len(cells), at_once):
        held = take(simulation, cells[group])
        held = masked_stands(held, None if pure is None else pure.isel(cell=cells[group]))
        here, starting = np.isin(position, cells[group]), np.isin(of_window, cells[group])
        place = np.searchsorted(cells[group], position[here])
        simulated[here] = simulated_from_cells(held, place, weight[here], towers["time"].values)
        place = np.searchsorted(cells[group], of_window[starting])
        if len(place):
            initial[starting] = initial_from_cells(held, place, first[starting])
    return simulated, initial
