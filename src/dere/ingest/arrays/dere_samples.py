"""Where the pure samples of the DERE arrays come from: matched back to cell and age by equal states and drivers.

The samples are copies of (cell, age) pairs that one plant type dominates, without saying which. A pair is found by the
digest of its states, all 29 years of them, and must have the drivers of its cell.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from dere.ingest.arrays.dere_npz import Npz
from dere.variables import PLANT_TYPES

log = logging.getLogger(__name__)

_YEARS, _MONTHS, _CHANNELS, _TARGETS = 28, 12, 136, 10


def digests(rows: np.ndarray) -> list[bytes]:
    """Digest of each row (n, ...) of float32 values; equal rows have equal ones."""
    return [hashlib.blake2b(np.ascontiguousarray(row, dtype=np.float32).data, digest_size=16).digest() for row in rows]


@dataclass
class Index:
    """Digests of what the cells hold, filled while their arrays are read.

    Parameters
    ----------
    drivers
        Digest of the drivers of each cell, (n,).
    states
        Digest of the states to the (cell, age) pairs that have them.
    """

    drivers: list[bytes]
    states: dict[bytes, list[tuple[int, int]]] = field(default_factory=dict)

    def add(self, age: int, states: np.ndarray) -> None:
        """Remember the raw states (n, 29, 12, 10) of one age."""
        for cell, digest in enumerate(digests(states)):
            self.states.setdefault(digest, []).append((cell, age))


def match(
    index: Index, drivers: Iterable[np.ndarray], states: Iterable[np.ndarray], mask: np.ndarray
) -> tuple[int, int]:
    """Mark the pairs that samples are copies of.

    Parameters
    ----------
    index
        Of the cells of the same split.
    drivers, states
        Blocks of samples, (n, 28, 12, 136) and (n, 29, 12, 10), of the same rows.
    mask
        (cell, age) bool, set where a sample is found.

    Returns
    -------
    tuple
        Samples found, and samples in all.
    """
    found = total = 0
    for some_drivers, some_states in zip(drivers, states, strict=True):
        for driver, state in zip(digests(some_drivers), digests(some_states), strict=True):
            pairs = [pair for pair in index.states.get(state, ()) if index.drivers[pair[0]] == driver]
            for cell, age in pairs:
                mask[cell, age] = True
            found += bool(pairs)
            total += 1
    return found, total


def pure_samples(file: Npz, split: str, index: Index, ages: int) -> np.ndarray:
    """Pairs that serve as pure samples of each plant type.

    Parameters
    ----------
    file
        ``res_train4_test8_extract_4types_28years_update_with_NEE_Ra_RECO.npz``.
    split
        train or test.
    index
        Of the cells of this split.
    ages
        Number of ages.

    Returns
    -------
    np.ndarray
        (cell, age, plant_type) bool.

    Raises
    ------
    ValueError
        When the file is damaged or of other shapes.
    """
    mask = np.zeros((len(index.drivers), ages, len(PLANT_TYPES)), bool)
    for position, plant_type in enumerate(PLANT_TYPES):
        rows = 128
        drivers = _blocks(file, f"x_{split}_{plant_type}", (None, _YEARS, _MONTHS, _CHANNELS), rows)
        states = _blocks(file, f"y_{split}_{plant_type}", (None, _YEARS + 1, _MONTHS, _TARGETS), rows)
        count, given = file.shape(f"x_{split}_{plant_type}")[0], file.shape(f"y_{split}_{plant_type}")[0]
        if count != given:
            raise ValueError(
                f"{file.name}: x_{split}_{plant_type} has {count} samples and y_{split}_{plant_type} {given}, but the "
                "same number is needed; download the file again"
            )
        found, total = match(index, drivers, states, mask[..., position])
        log.info(
            "%s: %d of %d pure samples of %s (%s) are pairs of cell and age of the age-independent file%s",
            file.name, found, total, plant_type, split,
            "" if found == total else f"; the other {total - found} are left out",
        )  # fmt: skip
    return mask


def _blocks(file: Npz, key: str, expected: tuple[int | None, ...], rows: int) -> Iterator[np.ndarray]:
    return (values for _, values in file.slabs(key, expected, rows=rows))
