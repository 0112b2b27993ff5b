"""Forcing and simulation from the DERE arrays: the cells of both splits, and one more cell for each tower.

A tower has drivers and states of its own. They lie behind the cells, marked by the coordinate ``tower``; ``harmonise``
gives them to that tower and to nobody else. ``published_role`` says whether a cell trains or tests in the published
split.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from dere.channels import CLOCK, DIURNAL, SOIL_PROPERTIES
from dere.config.simulation import SimulationSource
from dere.ingest.arrays.dere_arrays import FIRST_YEAR, YEARS, compare_statistics
from dere.ingest.arrays.dere_coordinates import read_coordinates, rows_of
from dere.ingest.arrays.dere_files import find_files, require_files
from dere.ingest.arrays.dere_members import Members, read_members
from dere.ingest.arrays.dere_npz import Npz
from dere.ingest.arrays.dere_provenance import provenance_of
from dere.ingest.grid import cells_of_centres
from dere.ingest.months import MONTHS, time_coordinates
from dere.ingest.simulation.carbonglobe_diurnal import clock_of
from dere.ingest.simulation.carbonglobe_forcing import (
    check_channels,
    diurnal_channels,
    parse_channels,
    parse_soil,
)
from dere.ingest.simulation.solar_latitude import check_latitudes, latitude_of
from dere.variables import FLUX_TARGETS, FLUX_UNIT, PLANT_TYPES, TARGETS, convert, count_out_of_range

log = logging.getLogger(__name__)

_BLOCK = 512
# monthly mean radiation of real and simulated places follows the sun to well above 0.95
_LEAST_EXPLAINED = 0.85
FLUX_SOURCE_UNIT = "kgC m-2 yr-1"
_SHORTWAVE = diurnal_channels(DIURNAL.index("shortwave_hourly"))


def read(
    folder: Path, driver_set: str, config: SimulationSource, memory: int | None
) -> tuple[xr.Dataset, xr.Dataset, pd.DataFrame]:
    """Read forcing, simulation and the table of the files behind them; the arrays have one driver set and are small."""
    return *read_simulation(folder, config), provenance_of(config)


def read_simulation(folder: Path, config: SimulationSource) -> tuple[xr.Dataset, xr.Dataset]:
    """Read the simulation.

    Parameters
    ----------
    folder
        One of the published folders or the one above them.
    config
        ``network``, ``ages``, ``coordinates`` and ``grid_degrees``.

    Returns
    -------
    tuple
        Forcing: the drivers of ``carbonglobe136`` (cell, time[, hour or layer]) and ``soil``; coordinates
        ``published_role`` and ``tower`` on the cell axis; without a table of coordinates ``lat`` is estimated from
        shortwave and ``lon`` is NaN; attribute ``hours``, the clock of the cycles as longitudes tell it.
        Simulation: ``state`` (cell, stand, age, time, target) and ``initial_state`` of
        the mixture, ``plant_fraction`` (cell, age, year, plant_type) and, where the samples are at hand,
        ``pure_sample`` (cell, age, plant_type).

    Raises
    ------
    FileNotFoundError
        When a file is missing.
    ValueError
        When a file is damaged, of another shape or order, or the coordinates do not fit.
    """
    found = find_files(folder, config.network)
    fractions = "cell_fractions_annual" if "cell_fractions_annual" in found else "cell_fractions"
    require_files(found, folder, config.network, "cells", fractions)
    members = read_members(found, len(config.ages))
    counts = {part.kind: len(part.drivers) for part in members}
    if "statistics" in found:
        compare(Npz(found["statistics"]), members[0])
    states = joined(members, "states")
    drivers = joined(members, "drivers")
    coords = cell_axis(counts, drivers, Path(config.coordinates) if config.coordinates else None, config)
    source = found["cells"].name
    for start in range(0, len(drivers), _BLOCK):
        block = slice(start, start + _BLOCK)
        check_channels(drivers[block], coords["lat"].values[block], f"{source}: x", start)
    shortwave = drivers[..., _SHORTWAVE].mean((1, 2), dtype=np.float64)
    first, months = FIRST_YEAR * MONTHS, YEARS * MONTHS
    forcing = xr.Dataset(
        {**parse_channels(drivers, first, source), "soil": parse_soil(drivers)},
        coords={**coords, **time_coordinates(first, months), "soil_property": list(SOIL_PROPERTIES)},
        attrs={
            "driver_set": "carbonglobe136",
            CLOCK: clock_of(shortwave, coords["lon"].values, source) if config.coordinates else "unknown",
            # no places known: a grid size of 0 says so
            "grid_degrees": float(config.grid_degrees) if config.coordinates else 0.0,
            "start_month": f"{FIRST_YEAR}-01",
        },
    )
    for position, name in enumerate(TARGETS):
        count_out_of_range(name, states[..., position], source)
    simulation = xr.Dataset(
        {
            "state": (("cell", "stand", "age", "time", "target"), states[:, None, :, 1:]),
            "initial_state": (("cell", "stand", "age", "target"), states[:, None, :, 0]),
            "plant_fraction": (
                ("cell", "age", "year", "plant_type"),
                joined(members, "fractions"),
            ),
        },
        coords={
            **{name: coords[name] for name in ("cell", "lat", "lon")},
            **time_coordinates(first, months),
            "stand": ["mixture"],
            "age": list(config.ages),
            "target": list(TARGETS),
            "year": np.arange(FIRST_YEAR - 1, FIRST_YEAR + YEARS),
            "plant_type": list(PLANT_TYPES),
        },
        attrs={"grid_degrees": forcing.attrs["grid_degrees"]},
    )
    if any(part.pure is not None for part in members):
        none = (len(config.ages), len(PLANT_TYPES))
        pure = [np.zeros((counts[part.kind], *none), bool) if part.pure is None else part.pure for part in members]
        simulation["pure_sample"] = (("cell", "age", "plant_type"), np.concatenate(pure))
    log.info("%s", ", ".join(f"{count} of kind {kind}" for kind, count in counts.items()))
    return forcing, simulation


def joined(members: list[Members], name: str) -> np.ndarray:
    """Arrays of all members below each other; each part is given up once it is copied, because two may not fit."""
    parts = [getattr(part, name) for part in members]
    whole = np.empty((sum(map(len, parts)), *parts[0].shape[1:]), parts[0].dtype)
    first = 0
    for position, part in enumerate(members):
        values = parts[position]
        whole[first : first + len(values)] = values
        first += len(values)
        parts[position] = values[:0].copy()
        members[position] = replace(part, **{name: parts[position]})
    return whole


def cell_axis(
    counts: dict[str, int], drivers: np.ndarray, table: Path | None, config: SimulationSource
) -> dict[str, xr.Variable]:
    """Coordinates of the cell axis (see :func:`read_simulation`).

    Parameters
    ----------
    counts
        Members by kind, in the order of the axis.
    drivers
        (cell, 28, 12, 136).
    table
        Table of coordinates, or None.
    config
        ``network`` and ``grid_degrees``.

    Raises
    ------
    ValueError
        When shortwave does not follow the sun (scrambled channels), or the table of coordinates does not fit it.
    """
    kinds = np.repeat(list(counts), list(counts.values()))
    tower = np.char.endswith(kinds, "_tower")
    roles = np.char.partition(kinds, "_")[:, 0]
    names = tower_names(config.network, counts, table)
    labels = np.full(len(kinds), "", object)
    labels[tower] = names
    common = {
        "published_role": xr.Variable("cell", roles.astype(object)),
        "tower": xr.Variable("cell", labels),
        "land_fraction": xr.Variable("cell", np.ones(len(kinds)), {"units": "1"}),
    }
    if table is None:
        lat = estimated_latitude(drivers)
        return {
            **common,
            "cell": xr.Variable("cell", np.arange(len(kinds), dtype=np.int64)),
            "lat": xr.Variable("cell", lat, {"units": "degrees_north", "comment": "estimated from shortwave"}),
            "lon": xr.Variable("cell", np.full(len(kinds), np.nan), {"units": "degrees_east", "comment": "unknown"}),
            "cell_area": xr.Variable("cell", np.ones(len(kinds)), {"units": "m2", "comment": "unknown"}),
        }
    places = read_coordinates(table)
    parts = [rows_of(places, kind, count, table.name) for kind, count in counts.items()]
    lat, lon = (np.concatenate([part[name].to_numpy() for part in parts]) for name in ("lat", "lon"))
    check_latitudes(lat, drivers[..., _SHORTWAVE].mean(1, dtype=np.float64), table.name)
    number, area = cells_of_centres(lat[~tower], lon[~tower], config.grid_degrees, table.name)
    size = round(180 / config.grid_degrees) * round(360 / config.grid_degrees)
    cell = np.empty(len(kinds), np.int64)
    cell[~tower], cell[tower] = number, size + np.arange(tower.sum())
    areas = np.ones(len(kinds))
    areas[~tower] = area
    return {
        **common,
        "cell": xr.Variable("cell", cell),
        "lat": xr.Variable("cell", lat, {"units": "degrees_north", "standard_name": "latitude"}),
        "lon": xr.Variable("cell", lon, {"units": "degrees_east", "standard_name": "longitude"}),
        "cell_area": xr.Variable("cell", areas, {"units": "m2", "standard_name": "cell_area"}),
    }


def tower_names(network: str, counts: dict[str, int], table: Path | None) -> list[str]:
    """Ids of the towers: of the table, else made of network, split and row (the arrays name none)."""
    kinds = [kind for kind in counts if kind.endswith("_tower")]
    if table is None:
        return [name for kind in kinds for name in nameless(network, kind, counts[kind])]
    places = read_coordinates(table)
    return [name for kind in kinds for name in rows_of(places, kind, counts[kind], table.name)["id"]]


def nameless(network: str, kind: str, count: int) -> list[str]:
    """Ids of towers that no table names, for example ``fluxnet-train-007``."""
    return [f"{network}-{kind.split('_')[0]}-{row:03d}" for row in range(count)]


def estimated_latitude(drivers: np.ndarray) -> np.ndarray:
    """Latitude of rows (n, 28, 12, 136) in degrees.

    Raises
    ------
    ValueError
        When the shortwave channels do not follow the sun.
    """
    shortwave = drivers[..., _SHORTWAVE].mean(1, dtype=np.float64)
    lat, explained = latitude_of(shortwave)
    if len(lat) and np.median(explained) < _LEAST_EXPLAINED:
        raise ValueError(
            f"channels 35+4h (shortwave) follow the sun of some latitude to {np.median(explained):.2f} of their "
            f"variation only, {_LEAST_EXPLAINED:g} is expected; the four diurnal quantities must be interleaved by hour"
        )
    log.warning("the arrays hold no coordinates: latitudes are estimated from shortwave, longitudes are unknown")
    return lat


def compare(file: Npz, training: Members) -> None:
    """Compare the published statistics with those of the training cells; they are not used."""
    parts = {"x": training.drivers, "y": training.states[:, :, 1:]}
    for letter, values in parts.items():
        stored = file.read(f"{letter}_mean", (values.shape[-1],), np.float64)
        file.read(f"{letter}_std", (values.shape[-1],), np.float64)
        if letter == "y":
            stored = np.where(np.isin(TARGETS, FLUX_TARGETS), convert(stored, FLUX_SOURCE_UNIT, FLUX_UNIT), stored)
        compare_statistics(f"{letter}_mean", stored, *moments(values), file.name)


def moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of (n, ..., channel), summed member by member because a copy may not fit."""
    total, squares = np.zeros((2, values.shape[-1]))
    for member in values:
        rows = member.reshape(-1, values.shape[-1]).astype(np.float64)
        total += rows.sum(0)
        squares += np.einsum("rc,rc->c", rows, rows)
    count = max(values[..., 0].size, 1)
    mean = total / count
    return mean, np.sqrt(np.maximum(squares / count - mean**2, 0.0))
