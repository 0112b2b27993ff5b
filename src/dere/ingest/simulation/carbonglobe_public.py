"""The public CarbonGlobe as downloaded (docs/data.md#simulations): the arrays of all land cells.

Folder: ``mask2d.npy`` bool (360, 720); ``glob_X_fea.npy`` (cell, 40, 12, 136) drivers; ``glob_Y{age:03d}.npy`` (cell,
41, 12, 7) targets, index 0 = initial state; headerless ``train.csv``, ``val.csv``, ``test.csv``; ``data_stats.npz``.
There is no meta.json, which is how this layout is told from our own. Everything is read in blocks of cells.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.blocks import rows_per_block
from dere.channels import CLOCK, SOIL_PROPERTIES
from dere.config.simulation import SimulationSource
from dere.ingest.grid import cell_coordinates
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
from dere.ingest.simulation.carbonglobe_split import lattice_share, read_split
from dere.ingest.simulation.carbonglobe_states import find_states
from dere.ingest.simulation.carbonglobe_survey import clock, survey
from dere.ingest.simulation.mask_orientation import centres, mask_degrees, orientation_of
from dere.ingest.simulation.stored_array import StoredArray, stored_npy
from dere.variables import TARGETS

log = logging.getLogger(__name__)

_AGE_FILE = re.compile(r"glob_Y(\d{3})\.npy")


def read_public(
    folder: Path, driver_set: str, config: SimulationSource, memory: int | None = None
) -> tuple[xr.Dataset, xr.Dataset]:
    """Read the global arrays.

    Parameters
    ----------
    folder
        See the module's description.
    driver_set
        ``carbonglobe136``, the only one that the public files hold.
    config
        ``start_year``, ``row_order``, ``hours``, ``annual_targets``.
    memory
        Bytes that the job may use; what does not fit comes as dask arrays in blocks of cells.

    Returns
    -------
    tuple
        Forcing and simulation as of ``dere.ingest.simulation.carbonglobe.read_simulation``, of the mixture only
        and without plant fractions; with the coordinate ``published_role`` (cell) where the split files are at hand.

    Raises
    ------
    FileNotFoundError
        When a file is missing.
    ValueError
        When a file is damaged or of another shape, channels are scrambled, the mask fits no coastline, or the targets
        are annual and ``annual_targets`` is ``refuse``.
    """
    folder = Path(folder)
    check_public(folder)
    require_channels(driver_set, folder)
    ages = ages_of(folder)
    mask = np.array(stored_npy(folder / "mask2d.npy").rows(0, 10**6))
    if mask.dtype != np.bool_:
        raise ValueError(f"mask2d.npy holds {mask.dtype}, but True on land is needed; write it with dtype bool")
    channels = stored_npy(folder / "glob_X_fea.npy")
    cells = int(mask.sum())
    check_drivers(channels, cells, "mask2d.npy")
    years = channels.shape[1]
    drop = decide(
        count_annual(gpp_series(stored_targets(folder, ages, cells, years))), config.annual_targets, "glob_Y*.npy"
    )
    coords = place(mask, config.row_order)
    role = read_split(folder, cells)
    if role is not None:
        lattice_share(role, *np.nonzero(mask))
        coords["published_role"] = xr.Variable("cell", role.astype(object))
    rows = rows_per_block(channels.row_bytes, memory or DEFAULT_MEMORY)
    lat, lon = coords["lat"].to_numpy(), coords["lon"].to_numpy()
    found = survey(channels, lat, rows, None if role is None else role != "test")
    report_statistics(folder / "data_stats.npz", found)
    if (folder / "age_triplet.npz").exists():
        log.info("age_triplet.npz (a prior of targets by age) is not used")
    hours, in_utc = clock(found, lon, config.hours, channels.name)
    shift = solar_shift(lon) if in_utc else None
    first = config.start_year * 12
    time = time_coordinates(first, years * 12)
    forcing = xr.Dataset(
        forcing_variables({"": channels}, first, shift, memory),
        coords={**coords, **time, "soil_property": list(SOIL_PROPERTIES)},
        attrs={
            "driver_set": driver_set,
            CLOCK: hours,
            "grid_degrees": mask_degrees(mask.shape, "mask2d.npy"),
            "start_month": f"{config.start_year}-01",
        },
    )
    states = find_states(folder, ages, cells, years)
    simulation = xr.Dataset(
        states.variables(memory),
        coords={
            **{name: coords[name] for name in ("cell", "lat", "lon")},
            **time,
            "stand": list(states.stands),
            "age": list(ages),
            "target": list(TARGETS),
        },
        attrs={"grid_degrees": forcing.attrs["grid_degrees"]},
    )
    return forcing, without_fluxes(simulation) if drop else simulation


def check_public(folder: Path) -> None:
    """Check that a folder without meta.json is not one of our own layout that lost it.

    Raises
    ------
    FileNotFoundError
        When it holds files that the public CarbonGlobe lacks.
    """
    own = sorted(path.name for name in ("glob_F*.npy", "glob_Y_*.npy", "monthly8.nc") for path in folder.glob(name))
    if own:
        raise FileNotFoundError(
            f"{folder / 'meta.json'} does not exist, but {own[0]} beside it shows our own layout, whose first year, "
            "grid and ages stand there; write it, or remove what the public CarbonGlobe does not have"
        )


def drop_own_fluxes(folder: Path, ages: Sequence[int], policy: str) -> bool:
    """Whether the mixture's fluxes of a folder of our own layout are annual and must be dropped.

    Raises
    ------
    ValueError
        When they are annual and the policy is ``refuse``.
    """
    stored = [stored_npy(folder / f"glob_Y{age:03d}.npy") for age in ages]
    return decide(count_annual(gpp_series(stored)), policy, f"{folder}: glob_Y*.npy")


def ages_of(folder: Path) -> tuple[int, ...]:
    """Stand ages of the target files, ascending.

    Raises
    ------
    FileNotFoundError
        When there is no target file.
    """
    ages = sorted(int(match[1]) for path in folder.iterdir() if (match := _AGE_FILE.fullmatch(path.name)))
    if not ages:
        raise FileNotFoundError(
            f"{folder} holds no glob_Y*.npy (targets by age: glob_Y001.npy ... glob_Y500.npy); download them beside "
            "glob_X_fea.npy"
        )
    log.info("%d stand ages: %s; sources.simulation.ages must list them for tables of stand ages", len(ages), ages)
    return tuple(ages)


def stored_targets(folder: Path, ages: tuple[int, ...], cells: int, years: int) -> list[StoredArray]:
    """Target files of all ages, checked for shape.

    Raises
    ------
    ValueError
        When a file has another one than (cells, years + 1, 12, 7 or 10).
    """
    stored = [stored_npy(folder / f"glob_Y{age:03d}.npy") for age in ages]
    for array in stored:
        check_targets(array, cells, years)
    return stored


def place(mask: NDArray[np.bool_], row_order: str) -> dict[str, xr.Variable]:
    """Coordinates of the cells in the file's order; ``cell`` is the row-major number on the grid from the north-west.

    Raises
    ------
    ValueError
        When the mask is no global grid, has no land, or lies in no way that coastlines confirm.
    """
    degrees = mask_degrees(mask.shape, "mask2d.npy")
    if not mask.any():
        raise ValueError("mask2d.npy marks no land cell, but at least one is needed; use the published file")
    row, column = np.nonzero(mask)
    lat, lon = centres(row, column, degrees, orientation_of(mask, row_order, "mask2d.npy"))
    northern = np.zeros_like(mask)
    rows, columns = np.rint((90 - lat) / degrees - 0.5).astype(int), np.rint((lon + 180) / degrees - 0.5).astype(int)
    northern[rows, columns] = True
    sorted_coords = cell_coordinates(northern, degrees, None)
    # cells keep the order of the arrays, which is another one when the mask begins in the south or at Greenwich
    order = np.searchsorted(sorted_coords["cell"].values, rows * mask.shape[1] + columns)
    return {name: variable[order] for name, variable in sorted_coords.items()}
