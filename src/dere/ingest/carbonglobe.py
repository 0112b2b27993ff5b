"""Process-model simulation in the CarbonGlobe layout (data-formats 2.1): NumPy arrays, read through memory maps.

Folder: ``mask2d.npy`` bool (lat, lon), row 0 = north; ``glob_X_fea.npy`` (cell, year, 12, 136);
``glob_Y{age:03d}.npy`` (cell, year + 1, 12, 10 or 7) for the mixture and ``glob_Y_{stand}{age:03d}.npy`` for pure
stands, whose year 0 is the one before the drivers; ``glob_F{age:03d}.npy`` (cell, year + 1, 3) simulated plant
fractions; ``monthly8.nc``; ``meta.json`` with start_year, grid_degrees and ages. Pure stands, fractions and
``monthly8.nc`` are absent from the public CarbonGlobe.
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import xarray as xr

from dere.ingest.carbonglobe_forcing import (
    CHANNELS,
    SOIL_PROPERTIES,
    check_channels,
    parse_channels,
    parse_monthly8,
    parse_soil,
)
from dere.ingest.grid import cell_coordinates, check_mask
from dere.ingest.months import time_coordinates
from dere.io import read_json, read_netcdf
from dere.physics import derive
from dere.variables import FREE_TARGETS, PLANT_TYPES, STANDS, TARGETS, convert, count_out_of_range

log = logging.getLogger(__name__)

SEVEN_TARGETS = ("height", "agb", "soil_carbon", "lai", "gpp", "npp", "rh")
_FLUX_TARGETS = ("gpp", "npp", "rh", "nee", "ra", "reco")
FRACTION_TOLERANCE = 1e-3
# published fluxes may differ from the re-derived ones by rounding, not by sign or order (gC m-2 d-1)
_CLOSURE_TOLERANCE = 0.05
# cells checked at a time, so that a memory map larger than memory passes
_BLOCK = 512


def load_array(path: Path) -> np.ndarray:
    """Memory-map an npy file.

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        When it is truncated or no npy file.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; correct sources.simulation.path or add the file")
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(
            f"{path} ({path.stat().st_size} bytes) cannot be read as an npy array ({' '.join(str(error).split())}); it "
            "is truncated or of another format: delete it and make or download it again"
        ) from None


def check_shape(array: np.ndarray, expected: tuple[int, ...], source: str) -> None:
    """Check the shape of an array.

    Raises
    ------
    ValueError
        When it differs; names file, shape and expectation.
    """
    if array.shape != expected:
        raise ValueError(
            f"{source} has shape {array.shape}, but {expected} is needed to fit mask2d.npy and glob_X_fea.npy; export "
            "it for the same cells and years"
        )


def parse_targets(raw: np.ndarray, source: str) -> np.ndarray:
    """Ten targets in canonical units, the derived ones recomputed in float32 so that they close.

    Parameters
    ----------
    raw
        Shape (..., 10) in the order of ``TARGETS``, or (..., 7) in that of ``SEVEN_TARGETS``; fluxes in
        kgC m-2 yr-1.
    source
        File name for messages.

    Returns
    -------
    np.ndarray
        float32 of shape (..., 10); fluxes in gC m-2 d-1.

    Raises
    ------
    ValueError
        NaN, or published NPP, NEE or RECO that contradict GPP, Ra and Rh (order or sign of channels).
    """
    raw = np.asarray(raw, dtype=np.float32)
    if not np.isfinite(raw).all():
        bad = int((~np.isfinite(raw)).sum())
        raise ValueError(
            f"{source} holds {bad} NaN or infinite values, but the simulation must be complete; fill them or remove "
            "the cells from mask2d.npy"
        )
    order = TARGETS if raw.shape[-1] == len(TARGETS) else SEVEN_TARGETS
    given = {name: raw[..., i] for i, name in enumerate(order)}
    for name in _FLUX_TARGETS:
        if name in given:
            given[name] = convert(given[name], "kgC m-2 yr-1", "gC m-2 d-1").astype(np.float32)
    if "ra" not in given:
        given["ra"] = given["gpp"] - given["npp"]
    full = derive({name: given[name] for name in FREE_TARGETS})
    for name in ("npp", "nee", "reco"):
        if name in given:
            wrong = float((np.abs(given[name] - full[name]) > _CLOSURE_TOLERANCE).mean())
            if wrong > 0.01:
                raise ValueError(
                    f"{source}: {name} differs from what GPP, Ra and Rh give by more than {_CLOSURE_TOLERANCE:g} "
                    f"gC m-2 d-1 in {wrong:.0%} of the values; correct the order of the targets "
                    f"({', '.join(order)}) or the sign of NEE (positive to the atmosphere)"
                )
    return np.stack([full[name] for name in TARGETS], axis=-1).astype(np.float32)


def parse_fractions(raw: np.ndarray, source: str) -> np.ndarray:
    """Simulated plant fractions (..., 3), checked to sum to 1 within ``FRACTION_TOLERANCE``, then exactly.

    Raises
    ------
    ValueError
        Negative or missing fractions, or a sum outside the tolerance.
    """
    raw = np.asarray(raw, dtype=np.float64)
    total = raw.sum(axis=-1, keepdims=True)
    worst = float(np.abs(total - 1).max()) if np.isfinite(raw).all() else float("nan")
    if not worst <= FRACTION_TOLERANCE or raw.min() < 0:
        raise ValueError(
            f"{source}: plant fractions reach a minimum of {raw.min():g} and sums off 1 by {worst:g}, but shares of "
            f"0 to 1 that sum to 1 within {FRACTION_TOLERANCE:g} are needed; renormalise them"
        )
    return (raw / total).astype(np.float32)


def read_simulation(folder: Path, driver_set: str) -> tuple[xr.Dataset, xr.Dataset]:
    """Read a simulation folder.

    Parameters
    ----------
    folder
        See the module's description.
    driver_set
        ``monthly8`` or ``carbonglobe136``.

    Returns
    -------
    tuple
        Forcing: the drivers of the set (cell, time[, hour or layer]) and ``soil`` (cell, soil_property).
        Simulation: ``state`` (cell, stand, age, time, target), ``initial_state`` (cell, stand, age, target) of the
        month before the first and, where the folder has them, ``plant_fraction`` (cell, age, year, plant_type);
        fluxes in gC m-2 d-1.

    Raises
    ------
    FileNotFoundError
        When a file is missing.
    ValueError
        When a file is truncated, of a wrong shape, unit or channel order, or holds NaN.
    """
    folder = Path(folder)
    meta = _read_meta(folder / "meta.json")
    mask = np.array(load_array(folder / "mask2d.npy"))
    check_mask(mask, meta["grid_degrees"], "mask2d.npy")
    cells = int(mask.sum())
    channels = load_array(folder / "glob_X_fea.npy")
    if channels.ndim != 4 or channels.shape[0] != cells or channels.shape[2:] != (12, CHANNELS):
        raise ValueError(
            f"glob_X_fea.npy has shape {channels.shape}, but (cells, years, 12, {CHANNELS}) with the {cells} land "
            "cells of mask2d.npy is needed; export both from the same run"
        )
    first, count = int(meta["start_year"]) * 12, channels.shape[1] * 12
    coords = cell_coordinates(mask, meta["grid_degrees"], None)
    lat = coords["lat"].to_numpy()
    for start in range(0, cells, _BLOCK):
        block = slice(start, start + _BLOCK)
        check_channels(channels[block], lat[block], "glob_X_fea.npy", start)
    monthly_path = folder / "monthly8.nc"
    monthly = read_netcdf(monthly_path) if driver_set == "monthly8" or monthly_path.exists() else None
    if monthly is not None and "land_fraction" in monthly.variables:
        coords = cell_coordinates(mask, meta["grid_degrees"], monthly["land_fraction"].to_numpy())
    if driver_set == "monthly8" and monthly is not None:
        drivers = parse_monthly8(monthly, cells, count, "monthly8.nc")
    elif driver_set == "carbonglobe136":
        drivers = parse_channels(channels, first, "glob_X_fea.npy")
    else:
        raise ValueError(
            f"driver_set is '{driver_set}', but monthly8 or carbonglobe136 is expected; correct the config"
        )
    forcing = xr.Dataset(
        {**drivers, "soil": parse_soil(channels)},
        coords={**coords, **time_coordinates(first, count), "soil_property": list(SOIL_PROPERTIES)},
        attrs={
            "driver_set": driver_set,
            "grid_degrees": float(meta["grid_degrees"]),
            "start_month": f"{first // 12}-01",
        },
    )
    years = channels.shape[1]
    simulation = _read_states(folder, tuple(meta["ages"]), cells, years)
    fractions = _read_fractions(folder, tuple(meta["ages"]), cells, years)
    if fractions is not None:
        simulation["plant_fraction"] = fractions
        simulation = simulation.assign_coords(
            year=np.arange(first // 12, first // 12 + years), plant_type=list(PLANT_TYPES)
        )
    simulation = simulation.assign_coords(
        {name: coords[name] for name in ("cell", "lat", "lon")} | time_coordinates(first, count)
    )
    return forcing, simulation.assign_attrs(grid_degrees=float(meta["grid_degrees"]))


def _read_meta(path: Path) -> dict:
    """Contents of meta.json with its three keys."""
    if not path.exists():
        raise FileNotFoundError(
            f"{path} does not exist, but start_year, grid_degrees and ages are needed; write it beside the arrays"
        )
    try:
        meta = read_json(path)
    except ValueError as error:
        raise ValueError(f"{path} is no JSON ({error}); write start_year, grid_degrees and ages") from None
    missing = [key for key in ("start_year", "grid_degrees", "ages") if key not in meta]
    if missing:
        raise ValueError(f"{path} has no key {', '.join(missing)}, but it is needed to read the arrays; add it")
    return meta


def _target_file(folder: Path, stand: str, age: int) -> Path:
    """File of the targets of one stand and age."""
    middle = "" if stand == "mixture" else f"_{stand}"
    return folder / f"glob_Y{middle}{age:03d}.npy"


def _read_states(folder: Path, ages: tuple[int, ...], cells: int, years: int) -> xr.Dataset:
    """States of every stand that the folder holds, and of the month before the first."""
    stands = [s for s in STANDS if s == "mixture" or _target_file(folder, s, ages[0]).exists()]
    if len(stands) < len(STANDS):
        log.warning("%s holds no pure stands; only %s is read", folder, ", ".join(stands))
    state = np.empty((cells, len(stands), len(ages), years * 12, len(TARGETS)), dtype=np.float32)
    initial = np.empty((cells, len(stands), len(ages), len(TARGETS)), dtype=np.float32)
    annual = 0
    for s, stand in enumerate(stands):
        for a, age in enumerate(ages):
            path = _target_file(folder, stand, age)
            raw = load_array(path)
            width = raw.shape[-1] if raw.ndim == 4 and raw.shape[-1] in (7, 10) else len(TARGETS)
            check_shape(raw, (cells, years + 1, 12, width), path.name)
            values = parse_targets(raw, path.name)
            annual += bool((values[:, 1:, 0] == values[:, 1:, 6]).all())
            initial[:, s, a] = values[:, 0, -1]
            state[:, s, a] = values[:, 1:].reshape(cells, years * 12, len(TARGETS))
    if annual:
        log.warning(
            "%s: %d of %d target files repeat one value in all months of a year; monthly skill cannot be learned from "
            "them",
            folder,
            annual,
            len(stands) * len(ages),
        )
    for index, name in enumerate(TARGETS):
        count_out_of_range(name, state[..., index], str(folder))
    return xr.Dataset(
        {
            "state": (("cell", "stand", "age", "time", "target"), state),
            "initial_state": (("cell", "stand", "age", "target"), initial),
        },
        coords={"stand": stands, "age": list(ages), "target": list(TARGETS)},
    )


def _read_fractions(folder: Path, ages: tuple[int, ...], cells: int, years: int) -> xr.Variable | None:
    """Simulated plant fractions of the driver years, or None where the folder has none."""
    if not (folder / f"glob_F{ages[0]:03d}.npy").exists():
        log.warning("%s holds no plant fractions (glob_F*.npy)", folder)
        return None
    fractions = np.empty((cells, len(ages), years, len(PLANT_TYPES)), dtype=np.float32)
    for a, age in enumerate(ages):
        path = folder / f"glob_F{age:03d}.npy"
        raw = load_array(path)
        check_shape(raw, (cells, years + 1, len(PLANT_TYPES)), path.name)
        fractions[:, a] = parse_fractions(raw[:, 1:], path.name)
    return xr.Variable(("cell", "age", "year", "plant_type"), fractions)
