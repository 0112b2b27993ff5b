"""Cells and towers of the DERE arrays as members: drivers, states by age, fractions and age weights of each split."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dere.ingest.arrays.dere_arrays import (
    CHANNELS,
    SPLITS,
    YEARS,
    annual_means,
    drivers_by_month,
    parse_age_weights,
    parse_drivers,
    parse_shares,
    parse_states,
    repeats_annual_values,
)
from dere.ingest.arrays.dere_npz import Npz
from dere.ingest.arrays.dere_samples import Index, digests, pure_samples
from dere.ingest.months import MONTHS
from dere.variables import PLANT_TYPES, TARGETS

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Members:
    """Members of one kind, in the order of their array.

    Parameters
    ----------
    kind
        ``train_cell``, ``test_cell``, ``train_tower`` or ``test_tower``.
    drivers
        (n, 28, 12, 136) in the units of the file.
    states
        (n, age, 337, 10) in canonical units, from December 1992.
    fractions
        (n, age, 29, 3) simulated plant fractions from 1992.
    pure
        (n, age, 3) bool: a published pure sample; None = the file of samples is not at hand.
    """

    kind: str
    drivers: np.ndarray
    states: np.ndarray
    fractions: np.ndarray
    pure: np.ndarray | None


def read_members(found: dict[str, Path], ages: int) -> list[Members]:
    """Read the cells of both splits and, where their files are at hand, the towers.

    Parameters
    ----------
    found
        From ``dere_files.find_files``; ``cells`` and one file of simulated fractions are there.
    ages
        Number of ages.

    Raises
    ------
    ValueError
        When a file is damaged, of another shape, or holds what cannot be.
    """
    return [_cells(found, split, ages) for split in SPLITS] + (
        [_towers(found, split, ages) for split in SPLITS] if "towers" in found and "tower_cover" in found else []
    )


def _cells(found: dict[str, Path], split: str, ages: int) -> Members:
    """Cells of one split, checked against the other files that repeat them."""
    file = Npz(found["cells"])
    drivers = _drivers(file, split)
    samples = Npz(found["samples"]) if "samples" in found else None
    index = Index(digests(drivers)) if samples else None
    weights = read_age_weights(found, split, len(drivers), ages)
    states = _states(file, split, len(drivers), ages, index, weights)
    if "cell_cover" in found:
        _same_cells(Npz(found["cell_cover"]), split, drivers)
    pure = pure_samples(samples, split, index, ages) if samples and index else None
    return Members(f"{split}_cell", drivers, states, _fractions(found, split, len(drivers), ages), pure)


def _towers(found: dict[str, Path], split: str, ages: int) -> Members:
    """Towers of one split."""
    file, cover = Npz(found["towers"]), Npz(found["tower_cover"])
    drivers = _drivers(file, split)
    states = _states(file, split, len(drivers), ages, None, None)
    expected = (len(drivers), ages, YEARS + 1)
    raw = [cover.read(f"{split}_pft_{name}", expected) for name in PLANT_TYPES]
    return Members(f"{split}_tower", drivers, states, _shares(raw, f"{cover.name}: {split}_pft_*"), None)


def _drivers(file: Npz, split: str) -> np.ndarray:
    key = f"x_{split}"
    return parse_drivers(file.read(key, (None, YEARS, MONTHS, CHANNELS)), f"{file.name}: {key}")


def _states(
    file: Npz, split: str, members: int, ages: int, index: Index | None, weights: np.ndarray | None
) -> np.ndarray:
    """States (n, age, 337, 10), one age in memory at a time beside the result."""
    key = f"y_{split}"
    states = np.empty((members, ages, YEARS * MONTHS + 1, len(TARGETS)), np.float32)
    total = np.zeros((members, YEARS + 1, MONTHS, len(TARGETS)), np.float32)
    expected = (ages, members, YEARS + 1, MONTHS, len(TARGETS))
    annual = members > 0
    for where, values in file.slabs(key, expected, rows=1):
        age, raw = where.start, values[0]
        states[:, age] = parse_states(raw, f"{file.name}: {key}, age {age + 1} of {ages}")
        annual = annual and repeats_annual_values(states[:, age])
        if index is not None:
            index.add(age, raw)
        if weights is not None:
            total += weights[:, age, None, None, None] * raw
    if annual:
        raise ValueError(
            f"{file.name}: {key} repeats one value in all months of every year, but monthly states are needed to learn "
            "monthly fluxes; use the arrays with monthly states, not those of CarbonGlobe"
        )
    if weights is not None and f"{key}_agesum" in file.keys:
        _compare_sum(total, file.read(f"{key}_agesum", expected[1:]), f"{file.name}: {key}_agesum")
    return states


def _compare_sum(made: np.ndarray, stored: np.ndarray, source: str) -> None:
    """Say how far the published age-weighted sum is from that of the states with the published weights."""
    off = np.abs(made - stored) > 1e-3 * (1 + np.abs(stored))
    if off.mean() > 1e-3:
        log.warning(
            "%s differs from the sum over ages with AgeWeight in %.1f%% of its values; the order of ages or the "
            "weights are others than those it was made with",
            source, 100 * off.mean(),
        )  # fmt: skip


def _same_cells(file: Npz, split: str, drivers: np.ndarray) -> None:
    """Check that the file of observed fractions lists the same cells in the same order.

    Raises
    ------
    ValueError
        When the drivers of a row differ.
    """
    key = f"x_{split}_all"
    for where, flat in file.slabs(key, (len(drivers), YEARS, CHANNELS * MONTHS)):
        same = (drivers_by_month(flat) == drivers[where]).all(axis=(1, 2, 3))
        if not same.all():
            row = where.start + int(np.flatnonzero(~same)[0])
            raise ValueError(
                f"{file.name}: row {row} of {key} has other drivers than row {row} of x_{split} in the age-independent "
                "file, but both must list the same cells (136 x 12 values a year, the months of a channel together); "
                "take both files from one release"
            )


def _fractions(found: dict[str, Path], split: str, members: int, ages: int) -> np.ndarray:
    """Simulated plant fractions of cells (n, age, 29, 3)."""
    if "cell_fractions_annual" in found:
        file = Npz(found["cell_fractions_annual"])
        expected: tuple[int, ...] = (ages, members, YEARS + 1)
        raw = [np.swapaxes(file.read(f"{split}_pft_{name}", expected), 0, 1) for name in PLANT_TYPES]
    else:
        file = Npz(found["cell_fractions"])
        expected = (members, ages, YEARS + 1, MONTHS)
        raw = [
            annual_means(file.read(f"{split}_pft_{name}", expected), f"{file.name}: {split}_pft_{name}")
            for name in PLANT_TYPES
        ]
    return _shares(raw, f"{file.name}: {split}_pft_*")


def _shares(raw: list[np.ndarray], source: str) -> np.ndarray:
    fraction, _, off = parse_shares(raw, source)
    if off:
        log.warning(
            "%s: %d of %d sums over the plant types are off 1; they are divided by it", source, off, raw[0].size
        )
    return fraction


def read_age_weights(found: dict[str, Path], split: str, members: int, ages: int) -> np.ndarray | None:
    """Age weights of cells (n, age), from the first file that has them; None where none has."""
    for kind in ("cell_cover", "cell_fractions"):
        if kind in found:
            file, key = Npz(found[kind]), f"AgeWeight_{split}"
            return parse_age_weights(file.read(key, (ages, members)), f"{file.name}: {key}")
    return None
