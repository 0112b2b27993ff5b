"""The bundle of the public CarbonGlobe: every fourth cell for training, every eighth for testing.

See docs/data.md#simulations. ``res_train4_test8.npz`` is float64 and uncompressed: ``x_train`` (3373, 40, 12, 136),
``y_train`` (15, 3373, 41, 12, 7), ``x_test`` and ``y_test`` (852 cells). It has no mask; a table of coordinates places
the cells, or they stay without longitude and only the published split is possible.
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.blocks import fits, lazy_variables, rows_per_block, slices
from dere.channels import CLOCK, SOIL_PROPERTIES
from dere.config.simulation import SimulationSource
from dere.ingest.arrays.dere_coordinates import read_coordinates, rows_of
from dere.ingest.grid import cells_of_centres
from dere.ingest.months import time_coordinates
from dere.ingest.simulation.annual_targets import count_annual, decide, without_fluxes
from dere.ingest.simulation.carbonglobe_diurnal import solar_shift
from dere.ingest.simulation.carbonglobe_parts import (
    DEFAULT_MEMORY,
    check_drivers,
    check_targets,
    forcing_variables,
    gpp_series,
    report_statistics,
    require_channels,
)
from dere.ingest.simulation.carbonglobe_states import parse_targets
from dere.ingest.simulation.carbonglobe_survey import clock, survey
from dere.ingest.simulation.solar_latitude import latitude_of
from dere.ingest.simulation.stored_array import StoredArray, member_names, stored_member
from dere.variables import TARGETS, RangeTally

log = logging.getLogger(__name__)

KEYS = ("x_train", "y_train", "x_test", "y_test")
ROLES = ("train", "test")
AGES = (1, 10, 20, 30, 50, 70, 100, 150, 200, 250, 300, 350, 400, 450, 500)
"""Stand ages of the first axis of the targets: those of the global files, in their order."""
_LEAST_EXPLAINED = 0.85


def find_bundle(folder: Path) -> Path | None:
    """The npz file of a folder that holds the four arrays, or None.

    Raises
    ------
    ValueError
        When there are several, or a file is no npz.
    """
    found = [path for path in sorted(Path(folder).glob("*.npz")) if set(KEYS) <= set(member_names(path))]
    if len(found) > 1:
        raise ValueError(
            f"{found[0].parent} holds {len(found)} files with {', '.join(KEYS)} ({found[0].name}, {found[1].name}), "
            "but one is expected; keep one of them there"
        )
    return found[0] if found else None


def read_bundle(
    path: Path, driver_set: str, config: SimulationSource, memory: int | None = None
) -> tuple[xr.Dataset, xr.Dataset]:
    """Read the bundle, training cells first.

    Parameters
    ----------
    path
        The npz file; ``data_stats.npz`` may lie beside it.
    driver_set
        ``carbonglobe136``, the only one that the public files hold.
    config
        ``start_year``, ``hours``, ``annual_targets``, ``coordinates``, ``grid_degrees``.
    memory
        Bytes that the job may use; what does not fit comes as dask arrays in blocks of cells.

    Returns
    -------
    tuple
        As ``dere.ingest.simulation.carbonglobe_public.read_public``. Without a table of coordinates ``lat`` is
        estimated from shortwave, ``lon`` is NaN, ``cell`` counts the rows and ``grid_degrees`` is 0.

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        When it is damaged, compressed or of another shape, channels are scrambled, or the targets are annual and
        ``annual_targets`` is ``refuse``.
    """
    require_channels(driver_set, path)
    drivers = {role: stored_member(path, f"x_{role}") for role in ROLES}
    for role, array in drivers.items():
        check_drivers(array, array.shape[0] if array.shape else 0, f"x_{role}")
    years = drivers["train"].shape[1]
    targets = {role: _by_age(path, role, drivers[role].shape[0], years) for role in ROLES}
    every = [array for role in ROLES for array in targets[role]]
    drop = decide(count_annual(gpp_series(every)), config.annual_targets, path.name)
    counts = {role: array.shape[0] for role, array in drivers.items()}
    places = _places(config, counts)
    lat = None if places is None else places["lat"].values
    found = {}
    for role, rows in zip(ROLES, (slice(0, counts["train"]), slice(counts["train"], None)), strict=True):
        size = rows_per_block(drivers[role].row_bytes, memory or DEFAULT_MEMORY)
        found[role] = survey(drivers[role], None if lat is None else lat[rows], size)
    report_statistics(path.parent / "data_stats.npz", found["train"])
    hours, in_utc = "unknown", False
    if places is None:
        places = _without_places(np.concatenate([found[role].sun for role in ROLES]), path.name)
    else:
        hours, in_utc = clock(found["train"], places["lon"].values[: counts["train"]], config.hours, path.name)
    shift = solar_shift(places["lon"].values) if in_utc else None
    names = np.repeat(ROLES, [counts[role] for role in ROLES])
    coords = {**places, "published_role": xr.Variable("cell", names.astype(object))}
    first = config.start_year * 12
    time = time_coordinates(first, years * 12)
    forcing = xr.Dataset(
        forcing_variables(drivers, first, shift, memory),
        coords={**coords, **time, "soil_property": list(SOIL_PROPERTIES)},
        attrs={
            "driver_set": driver_set,
            CLOCK: hours,
            "grid_degrees": float(config.grid_degrees) if config.coordinates else 0.0,
            "start_month": f"{config.start_year}-01",
        },
    )
    simulation = xr.Dataset(
        _states(targets, counts, years, path.name, memory),
        coords={
            **{name: coords[name] for name in ("cell", "lat", "lon")},
            **time,
            "stand": ["mixture"],
            "age": list(AGES),
            "target": list(TARGETS),
        },
        attrs={"grid_degrees": forcing.attrs["grid_degrees"]},
    )
    return forcing, without_fluxes(simulation) if drop else simulation


def _by_age(path: Path, role: str, cells: int, years: int) -> list[StoredArray]:
    """Targets of each age, checked for shape."""
    stored = stored_member(path, f"y_{role}")
    if len(stored.shape) != 5 or stored.shape[0] != len(AGES):
        raise ValueError(
            f"{stored.name} has shape {stored.shape}, but ({len(AGES)} ages, {cells}, {years + 1}, 12, 7) is needed; "
            "use the published file"
        )
    ages = [stored.take(index) for index in range(len(AGES))]
    check_targets(ages[0], cells, years)
    return ages


def _states(
    targets: dict[str, list[StoredArray]], counts: dict[str, int], years: int, source: str, memory: int | None
) -> dict[str, xr.Variable]:
    """State and initial state of the mixture, checked as a whole, then in memory or in blocks."""
    cells = sum(counts.values())
    row_size = len(AGES) * (years * 12 + 1) * len(TARGETS) * 4
    tally = RangeTally()

    def read(block: slice) -> dict[str, NDArray]:
        size = block.stop - block.start
        state = np.empty((size, 1, len(AGES), years * 12, len(TARGETS)), np.float32)
        initial = np.empty((size, 1, len(AGES), len(TARGETS)), np.float32)
        begin = 0
        for role in ROLES:
            start, stop = max(block.start, begin), min(block.stop, begin + counts[role])
            for a, array in enumerate(targets[role] if start < stop else []):
                values = parse_targets(
                    array.rows(start - begin, stop - begin), f"{source}[y_{role}] (age {AGES[a]}, from cell {start})"
                )
                rows = slice(start - block.start, stop - block.start)
                initial[rows, 0, a] = values[:, 0, -1]
                state[rows, 0, a] = values[:, 1:].reshape(stop - start, years * 12, len(TARGETS))
            begin += counts[role]
        return {"state": state, "initial_state": initial}

    size = cells if fits(row_size * cells, memory) else rows_per_block(row_size, memory or DEFAULT_MEMORY)
    values: dict[str, NDArray] = {}
    for block in slices(cells, size):
        values = read(block)
        for index, name in enumerate(TARGETS):
            tally.add(name, values["state"][..., index])
    tally.report(source)
    dims = {"state": ("cell", "stand", "age", "time", "target"), "initial_state": ("cell", "stand", "age", "target")}
    made = {name: xr.Variable(dims[name], array) for name, array in values.items()}
    return made if size == cells else lazy_variables(read, made, cells, size)


def _places(config: SimulationSource, counts: dict[str, int]) -> dict[str, xr.Variable] | None:
    """Coordinates from the table of ``sources.simulation.coordinates``, or None."""
    if not config.coordinates:
        return None
    table = read_coordinates(Path(config.coordinates))
    parts = [rows_of(table, f"{role}_cell", counts[role], config.coordinates) for role in ROLES]
    lat, lon = (np.concatenate([part[name].to_numpy(float) for part in parts]) for name in ("lat", "lon"))
    number, area = cells_of_centres(lat, lon, config.grid_degrees, config.coordinates)
    return _coordinates(number, lat, lon, area, "")


def _without_places(sun: NDArray, source: str) -> dict[str, xr.Variable]:
    """Rows as cells, latitude from the sun, no longitude.

    Raises
    ------
    ValueError
        When shortwave follows no latitude's sun.
    """
    lat, explained = latitude_of(sun)
    if np.median(explained) < _LEAST_EXPLAINED:
        raise ValueError(
            f"{source}: shortwave follows the sun of some latitude to {np.median(explained):.2f} of its variation, but "
            f"at least {_LEAST_EXPLAINED:g} is expected; the channels are scrambled: put them in the published order"
        )
    log.warning(
        "%s holds no coordinates: latitudes are estimated from shortwave, longitudes are unknown, hours of day stay as "
        "they are; without sources.simulation.coordinates there are no maps, no towers on the grid and only the "
        "published split",
        source,
    )
    cells = len(lat)
    return _coordinates(np.arange(cells), lat, np.full(cells, np.nan), np.ones(cells), "estimated from shortwave")


def _coordinates(number: NDArray, lat: NDArray, lon: NDArray, area: NDArray, comment: str) -> dict[str, xr.Variable]:
    """Coordinates of the cell axis as ``dere.ingest.grid.cell_coordinates`` names them."""
    note = {"comment": comment} if comment else {}
    return {
        "cell": xr.Variable("cell", np.asarray(number, np.int64)),
        "lat": xr.Variable("cell", lat, {"units": "degrees_north", "standard_name": "latitude", **note}),
        "lon": xr.Variable("cell", lon, {"units": "degrees_east", "standard_name": "longitude"}),
        "land_fraction": xr.Variable("cell", np.ones(len(lat)), {"units": "1", "standard_name": "land_area_fraction"}),
        "cell_area": xr.Variable("cell", area, {"units": "m2", "standard_name": "cell_area"}),
    }
