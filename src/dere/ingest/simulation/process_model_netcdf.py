"""Simulations by other process models (LPJ-GUESS, TRENDY): NetCDF of fluxes and pools by plant type, and their drivers.

Where each variable lies and what it is called stands in ``sources.simulation.netcdf``. Grid, calendar, units and plant
types are read from the files. The first year of the simulation gives the initial state only.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.blocks import fits, lazy_variables, rows_per_block, slices
from dere.config.simulation import SimulationSource
from dere.ingest.grid import cell_coordinates
from dere.ingest.months import days_in_month, time_coordinates
from dere.ingest.possible import Sieve, impossible
from dere.ingest.provenance import provenance_of
from dere.ingest.simulation.annual_targets import AnnualCount, decide, without_fluxes
from dere.ingest.simulation.process_model_axes import to_unit
from dere.ingest.simulation.process_model_drivers import drivers_of, read_co2
from dere.ingest.simulation.process_model_files import Quantity, find_file
from dere.ingest.simulation.process_model_run import KINDS, UNITS, Model, candidates, open_model, vegetation_types
from dere.ingest.simulation.process_model_source import PRODUCT
from dere.ingest.simulation.process_model_states import Vegetation, targets_of
from dere.variables import MONTHLY8, PLANT_TYPES, TARGETS, VARIABLES, RangeTally

log = logging.getLogger(__name__)

# gC m-2 d-1: the best month of a desert's edge exceeds the one, of a rain forest it stays below the other
_LEAST_TOP, _LARGEST_TOP = 0.1, 100.0
_STATE_DIMS = ("cell", "stand", "age", "time", "target")


def read(
    folder: Path, driver_set: str, config: SimulationSource, memory: int | None
) -> tuple[xr.Dataset, xr.Dataset, pd.DataFrame]:
    """Read forcing, simulation and the table of the files behind them (see :func:`read_simulation`)."""
    forcing, simulation, files = read_simulation(folder, driver_set, config, memory)
    return forcing, simulation, provenance_of({PRODUCT: files})


def read_simulation(
    folder: Path, driver_set: str, config: SimulationSource, memory: int | None = None
) -> tuple[xr.Dataset, xr.Dataset, list[Path]]:
    """Read a simulation.

    Parameters
    ----------
    folder
        Holds the files of ``config.netcdf``.
    driver_set
        ``monthly8``, the only one that monthly files give.
    config
        ``netcdf``, ``ages`` (one for a model of mixed age), ``annual_targets``.
    memory
        Bytes that the job may use; what does not fit comes as dask arrays in blocks of cells.

    Returns
    -------
    tuple
        Forcing and simulation as of ``dere.ingest.simulation.carbonglobe.read_simulation``, and the files behind
        them. Pure stands are NaN where their class has hardly any cover; cells without vegetation or with gaps are
        left out and counted. Marks of missing values and impossible numbers are gaps, whether stated or not.

    Raises
    ------
    FileNotFoundError
        When a file is missing.
    ValueError
        When a file is damaged, or its axes, units or values are not what they must be, or fluxes repeat annual values
        and ``annual_targets`` is ``refuse``.
    """
    if driver_set != "monthly8":
        raise ValueError(
            f"harmonise.driver_set is '{driver_set}', but a process model's NetCDF gives monthly8; set it to monthly8"
        )
    model = open_model(Path(folder), config)
    co2_path = find_file(folder, config.netcdf.co2, "CO2")
    co2 = read_co2(co2_path, model.months)
    sieve = Sieve()
    number = candidates(model, sieve)
    size = rows_per_block(model.row_size, memory or 4 << 30)
    kept, tally, count, largest = [], RangeTally(), AnnualCount(), 0.0
    for block in slices(len(number), size):
        part = _states(model, number[block], sieve)
        climate = _drivers(model, number[block], tally, sieve)
        good = np.isfinite(part["state"][:, -1]).all(axis=(1, 2, 3)) & np.isfinite(part["initial_state"][:, -1]).all(
            (1, 2)
        )
        good &= np.all([np.isfinite(array).all(1) for array in climate.values()], axis=0)
        good &= part["vegetated"] >= config.netcdf.minimum_vegetated
        for index, name in enumerate(TARGETS):
            tally.add(name, part["state"][good][..., index])
        gpp = part["state"][good][:, -1, :, :, TARGETS.index("gpp")]
        count.add(gpp.reshape(-1, len(model.months) // 12, 12))
        largest = max(largest, float(gpp.max(initial=0.0)))
        kept.append(good)
    sieve.report()
    keep = np.concatenate(kept) if kept else np.zeros(0, bool)
    log.info("%d of %d cells with values have vegetation and no gap", int(keep.sum()), len(keep))
    if not keep.any():
        raise ValueError(
            f"{folder}: none of {len(keep)} cells has all variables, drivers and at least "
            f"{config.netcdf.minimum_vegetated:g} vegetation in every month; check that the files share grid and years"
        )
    if not _LEAST_TOP < largest < _LARGEST_TOP:
        unit = model.quantities[0]["gpp"].unit
        raise ValueError(
            f"{model.quantities[0]['gpp'].name} in '{unit}' is at most {largest:.3g} gC m-2 d-1 in any month, but "
            f"{_LEAST_TOP:g} to {_LARGEST_TOP:g} is expected of the best; correct the unit attribute"
        )
    tally.report(str(folder))
    drop = decide(count, config.annual_targets, str(folder))
    number = number[keep]
    forcing, simulation = _datasets(model, number, co2, memory, size)
    return forcing, without_fluxes(simulation) if drop else simulation, [*model.files, co2_path]


def _states(model: Model, number: NDArray, sieve: Sieve) -> dict[str, NDArray]:
    """``state``, ``initial_state``, ``plant_fraction`` and ``vegetated`` (cell,) of cells.

    ``vegetated`` is NaN where a share of cover was impossible: the others would then be shares of something else.
    """
    months = np.concatenate([model.months[:1] - 1, model.months])
    days = days_in_month(int(months[0]), len(months))
    row, column = np.divmod(number, model.drivers["air_temperature"].lattice.shape[1])
    states, fractions, vegetated = [], [], []
    for quantities in model.quantities:
        raw = {}
        for name, quantity in quantities.items():
            values = quantity.rows(months, row, column)
            moved = to_unit(np.moveaxis(values, 1, -1), quantity.unit, UNITS[name], days, quantity.name)
            converted = np.moveaxis(moved, -1, 1)
            raw[name] = sieve.keep(KINDS[name], converted, quantity.name, written=values)
            if name == "cover":
                lost = (np.isnan(raw[name]) & ~np.isnan(converted)).reshape(len(number), -1).any(1)
        chosen, classes = vegetation_types(quantities["cover"], dict(model.config.netcdf.plant_types))
        names = [quantities["cover"].plant_types[index] for index in chosen]
        vegetation = Vegetation(np.nan_to_num(raw.pop("cover")[..., chosen]), classes)
        for name, array in raw.items():
            if array.ndim == 3:
                raw[name] = array[..., _same_types(quantities[name], names)]
        check_signs(raw, quantities)
        states.append(_possible_stands(targets_of(raw, vegetation, model.config.netcdf)))
        share = vegetation.fractions[:, :, 1:].reshape(len(PLANT_TYPES), len(number), -1, 12).mean(-1)
        fractions.append(np.moveaxis(share, 0, -1).astype(np.float32))
        vegetated.append(np.where(lost, np.nan, vegetation.vegetated.min(1)))
    state = np.stack(states, axis=2)
    # without values by plant type a pure stand would be the mixture again
    state = state[:, -len(model.stands) :]
    return {
        "state": np.ascontiguousarray(state[..., 1:, :]),
        "initial_state": np.ascontiguousarray(state[..., 0, :]),
        "plant_fraction": np.stack(fractions, axis=1),
        "vegetated": np.min(vegetated, axis=0),
    }


def _possible_stands(targets: NDArray[np.float32]) -> NDArray[np.float32]:
    """Targets (cell, stand, time, target) with NaN for stands that reach what no stand can.

    Possible numbers per cell can give such a stand where they are divided by a share of cover of another source.
    """
    wrong = np.any([impossible(name, targets[..., index]) for index, name in enumerate(TARGETS)], axis=0).any(-1)
    if wrong.any():
        log.warning("%d of %d stands of cells reach impossible values and count as missing", wrong.sum(), wrong.size)
    return np.where(wrong[..., None, None], np.nan, targets)


def _same_types(quantity: Quantity, names: list[str]) -> list[int]:
    """Positions of the vegetation types on another variable's axis."""
    missing = [name for name in names if name not in quantity.plant_types]
    if missing:
        raise ValueError(
            f"{quantity.name} lacks plant type {missing[0]}, which the cover has; export both with the same plant types"
        )
    return [quantity.plant_types.index(name) for name in names]


def check_signs(values: dict[str, NDArray], quantities: dict[str, Quantity]) -> None:
    """Check that GPP and respiration are positive.

    Raises
    ------
    ValueError
        When most values of one are negative.
    """
    for name in ("gpp", "ra", "rh"):
        finite = values[name][np.isfinite(values[name])]
        if finite.size and (finite < -0.01).mean() > 0.5:
            raise ValueError(
                f"{quantities[name].name} is negative in {(finite < -0.01).mean():.0%} of its values, but {name} is "
                "positive; turn its sign"
            )


def _drivers(model: Model, number: NDArray, tally: RangeTally, sieve: Sieve) -> dict[str, NDArray]:
    """Drivers (cell, time) but CO2."""
    row, column = np.divmod(number, model.drivers["air_temperature"].lattice.shape[1])
    values = {name: quantity.rows(model.months, row, column) for name, quantity in model.drivers.items()}
    return drivers_of(
        values,
        {name: quantity.unit for name, quantity in model.drivers.items()},
        days_in_month(int(model.months[0]), len(model.months)),
        {name: quantity.name for name, quantity in model.drivers.items()},
        tally,
        sieve,
    )


def _datasets(
    model: Model, number: NDArray, co2: NDArray, memory: int | None, size: int
) -> tuple[xr.Dataset, xr.Dataset]:
    """Forcing and simulation of the kept cells."""
    lattice = model.drivers["air_temperature"].lattice
    mask = np.zeros(lattice.shape, bool)
    mask.ravel()[number] = True
    coords = cell_coordinates(mask, lattice.degrees, None)
    first, count = int(model.months[0]), len(model.months)
    time = time_coordinates(first, count)
    degrees = {"grid_degrees": lattice.degrees}

    def read_drivers(block: slice) -> dict[str, NDArray]:
        found = _drivers(model, number[block], RangeTally(), Sieve())
        return {**found, "co2": np.broadcast_to(co2, (len(number[block]), count)).copy()}

    def read_states(block: slice) -> dict[str, NDArray]:
        found = _states(model, number[block], Sieve())
        return {name: found[name] for name in ("state", "initial_state", "plant_fraction")}

    dims = {
        "state": _STATE_DIMS,
        "initial_state": ("cell", "stand", "age", "target"),
        "plant_fraction": ("cell", "age", "year", "plant_type"),
    }
    drivers = _variables(read_drivers, {name: ("cell", "time") for name in MONTHLY8}, len(number), size, model, memory)
    forcing = xr.Dataset(
        drivers,
        coords={**coords, **time},
        attrs={"driver_set": "monthly8", **degrees, "start_month": f"{first // 12}-01"},
    )
    simulation = xr.Dataset(
        _variables(read_states, dims, len(number), size, model, memory),
        coords={
            **{name: coords[name] for name in ("cell", "lat", "lon")},
            **time,
            "stand": list(model.stands),
            "age": list(model.ages),
            "target": list(TARGETS),
            "year": np.arange(first // 12, (first + count) // 12),
            "plant_type": list(PLANT_TYPES),
        },
        attrs=degrees,
    )
    return forcing, simulation


def _variables(
    read: Callable[[slice], dict[str, NDArray]],
    dims: dict[str, tuple[str, ...]],
    cells: int,
    size: int,
    model: Model,
    memory: int | None,
) -> dict[str, xr.Variable]:
    """Variables of all cells, in memory where they fit."""
    whole = fits(model.row_size * cells, memory)
    values = read(slice(0, cells if whole else 1))
    attrs = {name: VARIABLES[name].attrs if name in VARIABLES else {} for name in dims}
    made = {name: xr.Variable(dims[name], values[name], attrs[name]) for name in dims}
    return made if whole else lazy_variables(read, made, cells, size)
