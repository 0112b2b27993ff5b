"""Observed plant fractions and age weights of cells and towers from the DERE arrays."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from dere.config.simulation import SimulationSource
from dere.ingest.arrays.dere_arrays import (
    FIRST_YEAR,
    SPLITS,
    YEARS,
    annual_means,
    parse_age_weights,
    parse_shares,
)
from dere.ingest.arrays.dere_coordinates import read_coordinates, rows_of
from dere.ingest.arrays.dere_files import find_files, require_files
from dere.ingest.arrays.dere_members import read_age_weights
from dere.ingest.arrays.dere_npz import Npz
from dere.ingest.arrays.dere_simulation import nameless
from dere.ingest.grid import cells_of_centres
from dere.ingest.months import MONTHS
from dere.variables import PLANT_TYPES, VARIABLES

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ArrayCover:
    """Cover of the arrays' cells and towers.

    Parameters
    ----------
    cells
        ``plant_fraction`` (cell, year, plant_type), ``vegetated_fraction`` (cell, year), ``age_weight`` (cell, age),
        with the numbers of the cells as in the forcing.
    sites
        ``plant_fraction``, ``vegetated_fraction`` and ``tree_cover`` (site, year; unit unknown, unused) of the towers.
    site_ages
        ``age_weight`` (site, age).
    """

    cells: xr.Dataset
    sites: xr.Dataset | None
    site_ages: xr.Dataset | None


def read_cover(folder: Path, config: SimulationSource) -> ArrayCover:
    """Read the cover.

    Where the file of observed fractions is not at hand (the folders of the comparison models lack it), the simulation's
    own age-weighted fractions stand in, with a warning: plant types learn nothing from them then.

    Raises
    ------
    FileNotFoundError
        When no file has age weights of the cells.
    ValueError
        When a file is damaged, of another shape, or holds no shares.
    """
    found = find_files(folder, config.network)
    require_files(found, folder, config.network, "cells")
    table = Path(config.coordinates) if config.coordinates else None
    places = read_coordinates(table) if table else None
    axis: list[np.ndarray] = []
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    offset = 0
    for split in SPLITS:
        count = Npz(found["cells"]).shape(f"x_{split}")[0]
        parts.append(_cells(found, folder, split, count, config))
        if places is None:
            axis.append(np.arange(offset, offset + count))
        else:
            own = rows_of(places, f"{split}_cell", count, str(config.coordinates))
            axis.append(
                cells_of_centres(own["lat"].to_numpy(), own["lon"].to_numpy(), config.grid_degrees, config.coordinates)[
                    0
                ]
            )
        offset += count
    fraction, vegetated, weight = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    cells = _dataset("cell", np.concatenate(axis), fraction, vegetated, config.ages)
    cells["age_weight"] = (("cell", "age"), weight, VARIABLES["age_weight"].attrs)
    sites, site_ages = _towers(found, config) if "tower_cover" in found else (None, None)
    return ArrayCover(cells, sites, site_ages)


def _cells(
    found: dict[str, Path], folder: Path, split: str, count: int, config: SimulationSource
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fractions, vegetated fraction and age weights of the cells of one split."""
    weight = read_age_weights(found, split, count, len(config.ages))
    if weight is None:
        require_files(found, folder, config.network, "cell_cover")
    assert weight is not None
    if "cell_cover" in found:
        file = Npz(found["cell_cover"])
        keys = [f"ESA_{name}_all_{split}" for name in PLANT_TYPES]
        raw = [file.read(key, (count, YEARS + 1)) for key in keys]
    else:
        require_files(found, folder, config.network, "cell_fractions")
        file = Npz(found["cell_fractions"])
        keys = [f"{split}_pft_{name}_agesum" for name in PLANT_TYPES]
        raw = [annual_means(file.read(key, (count, YEARS + 1, MONTHS)), f"{file.name}: {key}") for key in keys]
        log.warning("%s: no observed plant fractions of the cells; the simulation's own stand in", folder)
    fraction, vegetated, off = parse_shares(raw, f"{file.name}: {keys[0]} and its twins")
    log.info("%s: %d of %d sums over the plant types are off 1", file.name, off, vegetated.size)
    return fraction, vegetated, weight


def _towers(found: dict[str, Path], config: SimulationSource) -> tuple[xr.Dataset, xr.Dataset]:
    """Fractions and age weights of the towers."""
    file = Npz(found["tower_cover"])
    names: list[str] = []
    fractions, shares, trees, weights = [], [], [], []
    for split in SPLITS:
        keys = [f"ESA_{name}_{split}" for name in PLANT_TYPES]
        raw = [file.read(key, (None, YEARS + 1)) for key in keys]
        fraction, vegetated, off = parse_shares(raw, f"{file.name}: {keys[0]} and its twins")
        count = len(fraction)
        fractions.append(fraction)
        shares.append(vegetated)
        trees.append(file.read(f"Tree_Cover_{split}", (count, YEARS + 1)))
        key = f"AgeWeight_{split}"
        weights.append(parse_age_weights(file.read(key, (len(config.ages), count)), f"{file.name}: {key}"))
        names += tower_ids(config, split, count)
        log.info("%s: %d of %d sums over the plant types (%s) are off 1", file.name, off, vegetated.size, split)
    sites = _dataset("site", np.array(names, object), np.concatenate(fractions), np.concatenate(shares), config.ages)
    sites["tree_cover"] = (
        ("site", "year"),
        np.concatenate(trees),
        {"comment": "as published, unit not stated, unused"},
    )
    ages = xr.Dataset(
        {"age_weight": (("site", "age"), np.concatenate(weights), VARIABLES["age_weight"].attrs)},
        coords={"site": np.array(names, object), "age": list(config.ages)},
    )
    return sites.drop_vars("age"), ages


def tower_ids(config: SimulationSource, split: str, count: int) -> list[str]:
    """Ids of the towers of one split, as in the forcing."""
    kind = f"{split}_tower"
    if not config.coordinates:
        return nameless(config.network, kind, count)
    table = Path(config.coordinates)
    return list(rows_of(read_coordinates(table), kind, count, table.name)["id"])


def _dataset(
    member: str, axis: np.ndarray, fraction: np.ndarray, vegetated: np.ndarray, ages: tuple[int, ...]
) -> xr.Dataset:
    return xr.Dataset(
        {
            "plant_fraction": ((member, "year", "plant_type"), fraction, VARIABLES["plant_fraction"].attrs),
            "vegetated_fraction": ((member, "year"), vegetated, VARIABLES["vegetated_fraction"].attrs),
        },
        coords={
            member: axis,
            "year": np.arange(FIRST_YEAR - 1, FIRST_YEAR + YEARS),
            "plant_type": list(PLANT_TYPES),
            "age": list(ages),
        },
    )
