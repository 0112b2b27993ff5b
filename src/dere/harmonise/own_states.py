"""States of an exchange that the run's simulation lacks, made from what it has (`Exchange.simulate`).

Only mixtures have them. They depend on weather and states alone, so that a cell and a tower with the same have the
same: what a network learns at cells must hold at towers.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.blocks import loaded_blocks
from dere.exchange import Exchange
from dere.harmonise.axis import month_number
from dere.harmonise.knowledge_channels import weather_of
from dere.ingest.months import days_in_month
from dere.knowledge.earlier_months import YEAR
from dere.variables import FLUX_UNIT, STANDS

MIXTURE = STANDS[-1]
PLANTS = ("plant_fraction", "initial_plant_fraction")
"""Cover of the mixtures, which the states of another exchange share."""


def own_simulation(drivers: xr.Dataset, simulation: xr.Dataset, exchange: Exchange) -> xr.Dataset:
    """Simulation of the exchange's states in all cells.

    Parameters
    ----------
    drivers, simulation
        The canonical set; in memory or as dask arrays.
    exchange
        With ``simulate``.

    Returns
    -------
    Dataset
        ``state`` (cell, stand, age, time, target) float32 of mixtures, and ``initial_state`` (cell, stand, age,
        target): the last month of the first year, which stands in for the month before. The plant fractions of the
        simulation go with them.
    """
    count, ages = simulation.sizes["cell"], simulation.sizes["age"]
    shape = (count, 1, ages, simulation.sizes["time"], len(exchange.states))
    values = np.empty(shape, np.float32)
    wanted = simulation[["state"]].sel(stand=[MIXTURE], target=list(exchange.simulated_from))
    for block, part in loaded_blocks(wanted):
        rows = part["state"].transpose("cell", "stand", "age", "time", "target").values[:, 0]
        own = drivers.isel(cell=block).load()
        values[block, 0] = _states(own, "cell", rows, exchange)
    dims = ("cell", "stand", "age", "time", "target")
    coords = {name: simulation[name] for name in ("cell", "age", "time", "lat", "lon") if name in simulation.coords}
    attrs = {"units": FLUX_UNIT, "long_name": f"simulated states of {exchange.name}"}
    data = {
        "state": (dims, values, attrs),
        "initial_state": (("cell", "stand", "age", "target"), values[:, :, :, YEAR - 1], attrs),
    }
    held = xr.Dataset(data, coords=coords | {"stand": [MIXTURE], "target": list(exchange.states)})
    plants = [name for name in PLANTS if name in simulation]
    return held.assign(simulation[plants].compute().data_vars)


def with_own_states(towers: xr.Dataset, exchange: Exchange) -> xr.Dataset:
    """Towers whose ``simulated`` and ``initial_state`` are of the exchange's states.

    Before the axis, the same calendar month of the first year stands in; all stands and ages begin with the tower's.
    """
    rows = towers["simulated"].sel(target=list(exchange.simulated_from)).transpose("site", "time", "target").values
    values = _states(towers, "site", rows[:, None], exchange)[:, 0].astype(np.float32)
    return with_series(towers, values, values, exchange)


def with_series(towers: xr.Dataset, values: NDArray, filled: NDArray, exchange: Exchange) -> xr.Dataset:
    """Towers whose ``simulated`` are ``values`` and whose windows begin with ``filled``, both (site, time, state)."""
    before = towers["window_start"].values - 1
    before = np.where(before < 0, before % YEAR, before)
    initial = filled[towers["window_site"].values, before]
    stands, ages = towers.sizes["stand"], towers.sizes["age"]
    spread = np.broadcast_to(initial[:, None, None], (len(initial), stands, ages, initial.shape[-1])).copy()
    held = {"stand": towers["stand"], "age": towers["age"], "target": list(exchange.states)}
    rest = towers.drop_vars(["simulated", "initial_state", "target"]).assign_coords(held)
    return rest.assign(
        simulated=(("site", "time", "target"), values),
        initial_state=(("window", "stand", "age", "target"), spread),
    )


def with_states_of(towers: xr.Dataset, exchange: Exchange) -> xr.Dataset:
    """Towers as an exchange reads them: with its own states where they are simulated, else without any."""
    held = towers["target"].values.astype(str).tolist() if "target" in towers.coords else []
    if not exchange.simulate or set(exchange.states) <= set(held):
        return towers
    if "simulated" in towers and "initial_state" in towers:
        return with_own_states(towers, exchange)
    return towers.drop_vars(["simulated", "initial_state"], errors="ignore")


def _states(dataset: xr.Dataset, member: str, known: NDArray, exchange: Exchange) -> NDArray[np.float64]:
    """States (member, age, time, state) from the simulation's ``known`` (member, age, time, target)."""
    number = month_number(dataset["time"].values)
    days = np.asarray(days_in_month(int(number[0]), len(number)), float)
    states: Mapping[str, NDArray] = {
        name: known[..., i].astype(np.float64) for i, name in enumerate(exchange.simulated_from)
    }
    made: NDArray[np.float64] = exchange.simulator()(weather_of(dataset, member), states, days)
    return made
