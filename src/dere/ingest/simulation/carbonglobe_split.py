"""The published split of CarbonGlobe: one integer per line, no header (docs/data.md#simulations)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dere.ingest.tables import read_text

log = logging.getLogger(__name__)

ROLES = ("train", "val", "test")
"""File stems, and the roles that they give (coordinate ``published_role``)."""
_LATTICE = 4


def parse_indices(content: bytes, source: str) -> NDArray[np.int64]:
    """Indices of a headerless file.

    The first line is data: a reader that takes it for a header loses a cell.

    Raises
    ------
    ValueError
        When a line is no whole number, or there is none.
    """
    lines = content.decode("utf-8-sig", errors="replace").split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    indices = np.empty(len(lines), np.int64)
    for number, line in enumerate(lines):
        text = line.strip()
        if not text.isascii() or not text.isdecimal() or len(text) > 12:
            raise ValueError(
                f"{source}: line {number + 1} holds '{text[:40]}', but every line is one cell index, without a header; "
                "remove the line or download the file again"
            )
        indices[number] = int(text)
    if not lines:
        raise ValueError(f"{source} is empty, but one cell index per line is needed; download it again")
    return indices


def parse_split(indices: Mapping[str, NDArray[np.int64]], cells: int) -> NDArray[np.str_]:
    """Role of every cell.

    Parameters
    ----------
    indices
        Of ``train``, ``val`` and ``test``.
    cells
        Number of cells of the compact list.

    Returns
    -------
    array
        (cell,) train, val or test.

    Raises
    ------
    ValueError
        When an index is out of range, occurs twice, or a cell is in no file.
    """
    role = np.full(cells, "", "<U5")
    for name, chosen in indices.items():
        outside = chosen[(chosen < 0) | (chosen >= cells)]
        if outside.size:
            raise ValueError(
                f"{name}.csv holds index {outside[0]}, but the arrays have {cells} cells, 0 to {cells - 1}; use the "
                "split files of the same release"
            )
        unique, counts = np.unique(chosen, return_counts=True)
        if (counts > 1).any():
            raise ValueError(
                f"{name}.csv holds index {unique[counts > 1][0]} {counts.max()} times, but a cell is listed once; "
                "remove the repeated lines or download it again"
            )
        taken = chosen[role[chosen] != ""]
        if taken.size:
            raise ValueError(
                f"{name}.csv and {role[taken[0]]}.csv both hold index {taken[0]} ({taken.size} in common), but a cell "
                "has one role; use the split files of one release"
            )
        role[chosen] = name
    missing = np.flatnonzero(role == "")
    if missing.size:
        raise ValueError(
            f"index {missing[0]} is in none of train.csv, val.csv and test.csv ({missing.size} of {cells} cells are "
            "missing), but they are a partition; download the three files again"
        )
    return role


def read_split(folder: Path, cells: int) -> NDArray[np.str_] | None:
    """Role of every cell from the three files of a folder, or None where it has none of them.

    Raises
    ------
    FileNotFoundError
        When only some of the files exist.
    ValueError
        As `parse_indices` and `parse_split`.
    """
    paths = {name: Path(folder) / f"{name}.csv" for name in ROLES}
    found = [name for name, path in paths.items() if path.exists()]
    if not found:
        log.info("%s has no train.csv, val.csv and test.csv; the published split is taken from the grid", folder)
        return None
    missing = [str(path) for path in paths.values() if not path.exists()]
    if missing:
        raise FileNotFoundError(
            f"{missing[0]} does not exist beside {found[0]}.csv; add it, or remove all three to do without the split"
        )
    return parse_split({name: parse_indices(read_text(path), path.name) for name, path in paths.items()}, cells)


def lattice_share(role: NDArray[np.str_], row: NDArray, column: NDArray) -> float:
    """Share of training and validation cells on every fourth row and column; the published ones lie there.

    Parameters
    ----------
    role
        (cell,).
    row, column
        (cell,) in the file's own order.
    """
    chosen = role != "test"
    on = (row % _LATTICE == 0) & (column % _LATTICE == 0)
    share = float(on[chosen].mean()) if chosen.any() else 0.0
    if chosen.any() and share < 1:
        log.warning(
            "%.0f %% of the %d training and validation cells lie on every fourth row and column of mask2d.npy, but all "
            "of the published ones do; check that split and mask belong together",
            100 * share,
            int(chosen.sum()),
        )
    return share
