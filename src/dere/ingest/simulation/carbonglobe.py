"""Process-model simulation in the CarbonGlobe layout (docs/data.md#simulations): NumPy arrays, read by memory maps.

Folder: ``mask2d.npy`` bool (lat, lon), row 0 = north; ``glob_X_fea.npy`` (cell, year, 12, 136);
``glob_Y{age:03d}.npy`` (cell, year + 1, 12, 10 or 7) for the mixture and ``glob_Y_{stand}{age:03d}.npy`` for pure
stands, whose year 0 is the one before the drivers; ``glob_F{age:03d}.npy`` (cell, year + 1, 3) simulated plant
fractions; ``monthly8.nc``; ``satellites.nc``; ``meta.json`` with start_year, grid_degrees and ages, and if wanted
``hours``, the clock of the diurnal cycles. Pure stands, fractions and both NetCDF files are absent from the public
CarbonGlobe.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr

from dere.blocks import fits, lazy_variables, rows_per_block, slices
from dere.channels import CLOCK, DIURNAL, SOIL_PROPERTIES
from dere.ingest.grid import cell_coordinates, check_mask
from dere.ingest.months import time_coordinates
from dere.ingest.possible import require_possible
from dere.ingest.simulation.carbonglobe_diurnal import clock_of
from dere.ingest.simulation.carbonglobe_forcing import (
    CHANNELS,
    check_channels,
    diurnal_channels,
    parse_channels,
    parse_monthly8,
    parse_soil,
)
from dere.ingest.simulation.carbonglobe_states import (
    SEVEN_TARGETS,
    check_shape,
    find_states,
    load_array,
    parse_fractions,
    parse_targets,
)
from dere.ingest.simulation.cell_satellites import SATELLITE_FILE, parse_satellites
from dere.ingest.simulation.mask_orientation import check_upright
from dere.ingest.simulation.monthly_axes import on_axes
from dere.ingest.sun_season import OTHER_PLACES, check_sun_season, mean_year
from dere.io import read_json, read_netcdf
from dere.variables import MONTHLY8, PLANT_TYPES, SATELLITE, TARGETS, RangeTally

__all__ = ["SEVEN_TARGETS", "check_shape", "load_array", "parse_fractions", "parse_targets", "read_simulation"]

CHANNEL_FILE = "glob_X_fea.npy"
MONTHLY_FILE = "monthly8.nc"
# cells checked at a time, so that a memory map larger than memory passes
_BLOCK = 512
_LARGEST_MASK = 1 << 28
_SHORTWAVE = diurnal_channels(DIURNAL.index("shortwave_hourly"))
_DETECT = "detect"
_REMEDY = "its months or cells are others than meta.json and mask2d.npy say: export them together"


def read_simulation(folder: Path, driver_set: str, memory: int | None = None) -> tuple[xr.Dataset, xr.Dataset]:
    """Read a simulation folder.

    Every cell is read and checked before this returns. What is too large for ``memory`` then comes as dask arrays in
    blocks of cells, which read the files again when they are written.

    Parameters
    ----------
    folder
        See the module's description.
    driver_set
        ``monthly8`` or ``carbonglobe136``.
    memory
        Bytes that the job may use; None = everything fits.

    Returns
    -------
    tuple
        Forcing: the drivers of the set (cell, time[, hour or layer]), ``soil`` (cell, soil_property) and, where the
        folder has them, the satellite channels (cell, time), NaN missing; with diurnal cycles also the attribute
        ``hours``, their clock (see `dere.channels.CLOCK`).
        Simulation: ``state`` (cell, stand, age, time, target), ``initial_state`` (cell, stand, age, target) of the
        month before the first and, where the folder has them, ``plant_fraction`` (cell, age, year, plant_type);
        fluxes in gC m-2 d-1.

    Raises
    ------
    FileNotFoundError
        When a file is missing.
    ValueError
        When a file is truncated, of a wrong shape, unit, channel order or clock, or holds NaN.
    """
    folder = Path(folder)
    meta = _read_meta(folder / "meta.json")
    mask = np.array(load_array(folder / "mask2d.npy", _LARGEST_MASK))
    check_mask(mask, meta["grid_degrees"], "mask2d.npy")
    check_upright(mask, float(meta["grid_degrees"]), "mask2d.npy")
    cells = int(mask.sum())
    shape = load_array(folder / CHANNEL_FILE).shape
    if len(shape) != 4 or shape[0] != cells or shape[1] < 1 or shape[2:] != (12, CHANNELS):
        raise ValueError(
            f"{CHANNEL_FILE} has shape {shape}, but (cells, years, 12, {CHANNELS}) with the {cells} land "
            "cells of mask2d.npy is needed; export both from the same run"
        )
    years = shape[1]
    first, count = int(meta["start_year"]) * 12, years * 12
    coords = cell_coordinates(mask, meta["grid_degrees"], None)
    lat = coords["lat"].to_numpy()
    soil, sun, seasons = [], [], []
    for block in slices(cells, _BLOCK):
        # mapped anew for each block: what was read before must not count as this job's memory
        channels = load_array(folder / CHANNEL_FILE)[block]
        check_channels(channels, lat[block], CHANNEL_FILE, block.start)
        soil.append(parse_soil(channels))
        sunlight = channels[..., _SHORTWAVE].mean(axis=1, dtype=np.float64)
        sun.append(sunlight.mean(axis=1))
        seasons.append(sunlight.mean(axis=2))
    check_sun_season(np.concatenate(seasons), lat, CHANNEL_FILE, _REMEDY, OTHER_PLACES)
    whole = fits(cells * count * len(MONTHLY8) * 8, memory)

    def beside(name: str) -> xr.Dataset:
        opened = read_netcdf(folder / name, load=whole, decode_times=False)
        return on_axes(opened, coords, float(meta["grid_degrees"]), np.arange(first, first + count), name)

    wanted = driver_set == "monthly8" or (folder / MONTHLY_FILE).exists()
    monthly = beside(MONTHLY_FILE) if wanted else None
    satellites = beside(SATELLITE_FILE) if (folder / SATELLITE_FILE).exists() else None
    if monthly is not None and "land_fraction" in monthly.variables:
        share = monthly["land_fraction"].to_numpy()
        what = f"{MONTHLY_FILE}: land_fraction"
        require_possible("vegetated_fraction", share, what, "write shares of 0 to 1, or remove the variable")
        coords = cell_coordinates(mask, meta["grid_degrees"], share)
    parse, row_size = _driver_parser(folder, driver_set, monthly, first, cells, count)
    if satellites is not None:
        parse, row_size = _with_satellites(parse, satellites, cells, count), row_size + count * len(SATELLITE) * 4
    drivers = _drivers(parse, cells, row_size, memory, lat)
    # other driver sets have no hours
    hours = _clock(meta, np.concatenate(sun), coords["lon"].to_numpy()) if driver_set == "carbonglobe136" else {}
    forcing = xr.Dataset(
        {**drivers, "soil": xr.Variable.concat(soil, "cell")},
        coords={**coords, **time_coordinates(first, count), "soil_property": list(SOIL_PROPERTIES)},
        attrs={
            "driver_set": driver_set,
            "grid_degrees": float(meta["grid_degrees"]),
            "start_month": f"{first // 12}-01",
            **hours,
        },
    )
    states = find_states(folder, tuple(meta["ages"]), cells, years)
    simulation = xr.Dataset(
        states.variables(memory),
        coords={"stand": list(states.stands), "age": list(states.ages), "target": list(TARGETS)},
    )
    if states.fractions:
        simulation = simulation.assign_coords(
            year=np.arange(first // 12, first // 12 + years), plant_type=list(PLANT_TYPES)
        )
    simulation = simulation.assign_coords(
        {name: coords[name] for name in ("cell", "lat", "lon")} | time_coordinates(first, count)
    )
    return forcing, simulation.assign_attrs(grid_degrees=float(meta["grid_degrees"]))


Parser = Callable[[slice, RangeTally], dict[str, xr.Variable]]


def _driver_parser(
    folder: Path, driver_set: str, monthly: xr.Dataset | None, first: int, cells: int, months: int
) -> tuple[Parser, int]:
    """Function that reads the drivers of a block of cells, and the bytes of one cell's drivers."""
    if driver_set == "monthly8" and monthly is not None:

        def parse(block: slice, tally: RangeTally) -> dict[str, xr.Variable]:
            # a file of another size is given whole, so that its size is reported
            whole = block == slice(0, cells) or monthly.sizes.get("cell") != cells
            part = monthly if whole else monthly.isel(cell=block).load()
            return parse_monthly8(part, cells if whole else block.stop - block.start, months, MONTHLY_FILE, tally)

        return parse, months * len(MONTHLY8) * 8
    if driver_set == "carbonglobe136":

        def parse(block: slice, tally: RangeTally) -> dict[str, xr.Variable]:
            return parse_channels(load_array(folder / CHANNEL_FILE)[block], first, CHANNEL_FILE, tally)

        return parse, months * CHANNELS * 4
    raise ValueError(f"driver_set is '{driver_set}', but monthly8 or carbonglobe136 is expected; correct the config")


def _with_satellites(parse: Parser, satellites: xr.Dataset, cells: int, months: int) -> Parser:
    """The same function with the satellite channels of the block."""

    def both(block: slice, tally: RangeTally) -> dict[str, xr.Variable]:
        seen = parse_satellites(satellites, block, cells, months, tally)
        return parse(block, tally) | seen

    return both


def _drivers(parse: Parser, cells: int, row_size: int, memory: int | None, lat: np.ndarray) -> dict[str, xr.Variable]:
    """Drivers of all cells, in memory where they fit; values out of range are reported once for all blocks."""
    size = cells if fits(row_size * cells, memory) else rows_per_block(row_size, memory or 0)
    tally, found = RangeTally(), {}
    seasons = []
    for block in slices(cells, size):
        found = parse(block, tally)
        if "shortwave" in found:
            # the first month of this layout is a January
            seasons.append(mean_year(found["shortwave"].to_numpy(), np.arange(found["shortwave"].shape[1])))
    if seasons:
        check_sun_season(np.concatenate(seasons), lat, MONTHLY_FILE, _REMEDY, OTHER_PLACES)
    tally.report(CHANNEL_FILE if "co2_hourly" in found else MONTHLY_FILE)
    if size >= cells:
        return found

    def values(block: slice) -> dict[str, np.ndarray]:
        return {name: variable.to_numpy() for name, variable in parse(block, RangeTally()).items()}

    return lazy_variables(values, found, cells, size)


def _clock(meta: dict, shortwave: np.ndarray, lon: np.ndarray) -> dict[str, str]:
    """Attribute that says the clock of the hours: as stated, else as the cells' cycles (cell, 24) show it."""
    stated = meta.get("hours", _DETECT)
    return {CLOCK: clock_of(shortwave, lon, CHANNEL_FILE, "" if stated == _DETECT else stated)}


def _read_meta(path: Path) -> dict:
    """Contents of meta.json with its three keys and perhaps ``hours``, each of which is checked."""
    if not path.exists():
        raise FileNotFoundError(
            f"{path} does not exist, but start_year, grid_degrees and ages are needed; write it beside the arrays"
        )
    try:
        meta = read_json(path)
    except ValueError as error:
        raise ValueError(f"{error}; it needs start_year, grid_degrees and ages") from None
    missing = [key for key in ("start_year", "grid_degrees", "ages") if key not in meta]
    if missing:
        raise ValueError(f"{path} has no key {', '.join(missing)}, but it is needed to read the arrays; add it")
    expected = {
        "start_year": ("a year from 1500 to 2500", lambda value: type(value) is int and 1500 <= value <= 2500),
        "grid_degrees": ("degrees that divide 180", _divides_180),
        "ages": ("a list of whole years", lambda value: bool(value) and all(type(age) is int for age in value)),
        "hours": ("solar, utc or detect", lambda value: value in ("solar", "utc", _DETECT)),
    }
    for key, (words, good) in expected.items():
        if key == "hours" and key not in meta:
            continue
        if (key == "ages" and not isinstance(meta[key], list)) or not good(meta[key]):
            raise ValueError(f"{path}: {key} is {str(meta[key])[:60]!r}, but {words} is needed; correct it")
    return meta


def _divides_180(degrees: object) -> bool:
    """Whether a regular grid of this step covers the globe."""
    if not isinstance(degrees, (int, float)) or not 0 < degrees <= 180:
        return False
    return abs(180 / degrees - round(180 / degrees)) < 1e-6
