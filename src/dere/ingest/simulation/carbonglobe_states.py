"""Targets and plant fractions of the CarbonGlobe layout: one file per stand and age, read for any block of cells."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError

import numpy as np
import xarray as xr
from numpy.lib import format as npy

from dere.blocks import fits, lazy_variables, rows_per_block, slices
from dere.ingest.possible import require_possible
from dere.ingest.simulation.stored_array import read_header
from dere.physics import derive
from dere.regular_file import require_regular
from dere.variables import FLUX_TARGETS, FREE_TARGETS, PLANT_TYPES, STANDS, TARGETS, RangeTally, convert

log = logging.getLogger(__name__)

SEVEN_TARGETS = ("height", "agb", "soil_carbon", "lai", "gpp", "npp", "rh")
FRACTION_TOLERANCE = 1e-3
# published fluxes may differ from the re-derived ones by rounding, not by sign or order (gC m-2 d-1)
_CLOSURE_TOLERANCE = 0.05


def load_array(path: Path, most: int | None = None) -> np.ndarray:
    """Memory-map an npy file, of at most so many bytes.

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        When it is no regular file, larger, truncated, no npy file, or of anything but numbers.
    """
    path = Path(path)
    require_regular(path, "correct sources.simulation.path or add the file", most)
    try:
        with path.open("rb") as stream:
            if stream.read(len(npy.MAGIC_PREFIX)) == npy.MAGIC_PREFIX:
                stream.seek(0)
                read_header(stream)
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    # a damaged header is Python source to numpy
    except (ValueError, OSError, EOFError, OverflowError, SyntaxError, TokenError) as error:
        raise ValueError(
            f"{path} ({path.stat().st_size} bytes) cannot be read as an npy array ({' '.join(str(error).split())}); it "
            "is truncated or of another format: delete it and make or download it again"
        ) from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fbiu":
        held = f"values of type {array.dtype}" if isinstance(array, np.ndarray) else "an archive of arrays"
        raise ValueError(f"{path} holds {held}, but one array of plain numbers is needed; write it again as float32")
    return array


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
        NaN, marks of missing values or impossible numbers, or published NPP, NEE or RECO that contradict GPP, Ra and Rh
        (order or sign of channels).
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
    for name in FLUX_TARGETS:
        if name in given:
            given[name] = convert(given[name], "kgC m-2 yr-1", "gC m-2 d-1").astype(np.float32)
    for name, values in given.items():
        require_possible(name, values, source, "fill marks of missing values, or remove their cells from mask2d.npy")
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


@dataclass(frozen=True)
class StateFiles:
    """All target files of a folder.

    A block maps its files anew, so that the memory of a job does not grow with what it has read before.

    Parameters
    ----------
    folder
        Simulation folder.
    stands, ages
        Of the files there are.
    cells, years
        Land cells, and years of the drivers; the files hold the year before them too.
    fractions
        Whether there are plant fractions.
    """

    folder: Path
    stands: tuple[str, ...]
    ages: tuple[int, ...]
    cells: int
    years: int
    fractions: bool

    @property
    def row_size(self) -> int:
        """Bytes of one cell's states."""
        return len(self.stands) * len(self.ages) * (self.years * 12 + 1) * len(TARGETS) * 4

    def read(self, block: slice) -> dict[str, np.ndarray]:
        """Values of a block of cells.

        Returns
        -------
        dict
            ``state`` (cell, stand, age, time, target), ``initial_state`` (cell, stand, age, target) of the month before
            the first and, where there are some, ``plant_fraction`` (cell, age, year, plant_type); float32.

        Raises
        ------
        FileNotFoundError
            When a file is missing.
        ValueError
            When a file is truncated, of another shape, or one of ``parse_targets`` and ``parse_fractions``.
        """
        count = block.stop - block.start
        sizes = (count, len(self.stands), len(self.ages))
        state = np.empty((*sizes, self.years * 12, len(TARGETS)), dtype=np.float32)
        initial = np.empty((*sizes, len(TARGETS)), dtype=np.float32)
        for s, stand in enumerate(self.stands):
            for a, age in enumerate(self.ages):
                path = _target_file(self.folder, stand, age)
                raw = load_array(path)
                width = raw.shape[-1] if raw.ndim == 4 and raw.shape[-1] in (7, 10) else len(TARGETS)
                check_shape(raw, (self.cells, self.years + 1, 12, width), path.name)
                values = parse_targets(raw[block], self._name(path, block))
                initial[:, s, a] = values[:, 0, -1]
                state[:, s, a] = values[:, 1:].reshape(count, self.years * 12, len(TARGETS))
        values_of = {"state": state, "initial_state": initial}
        if self.fractions:
            values_of["plant_fraction"] = self._fractions(block)
        return values_of

    def variables(self, memory: int | None) -> dict[str, xr.Variable]:
        """Variables of all cells: in memory where they fit, else dask arrays in blocks of cells.

        Either way every cell is read and checked before this returns; faults of single values are logged.
        """
        size = self.cells if fits(self.row_size * self.cells, memory) else rows_per_block(self.row_size, memory or 0)
        tally, annual = RangeTally(), np.ones((len(self.stands), len(self.ages)), bool)
        values: dict[str, np.ndarray] = {}
        for block in slices(self.cells, size):
            values = self.read(block)
            state = values["state"]
            by_month = state.reshape(*state.shape[:3], self.years, 12, len(TARGETS))
            for month in (6, *range(1, 12)):
                # January and July differ nearly everywhere, which settles it
                if annual.any():
                    annual &= (by_month[..., 0, :] == by_month[..., month, :]).all(axis=(0, 3, 4))
            for index, name in enumerate(TARGETS):
                tally.add(name, state[..., index])
        if annual.any():
            log.warning(
                "%s: %d of %d target files repeat one value in all months of a year; monthly skill cannot be learned "
                "from them",
                self.folder,
                int(annual.sum()),
                annual.size,
            )
        tally.report(str(self.folder))
        found = {name: xr.Variable(_DIMS[name], array) for name, array in values.items()}
        return found if size >= self.cells else lazy_variables(self.read, found, self.cells, size)

    def _fractions(self, block: slice) -> np.ndarray:
        shape = (block.stop - block.start, len(self.ages), self.years, len(PLANT_TYPES))
        fractions = np.empty(shape, dtype=np.float32)
        for a, age in enumerate(self.ages):
            path = _fraction_file(self.folder, age)
            raw = load_array(path)
            check_shape(raw, (self.cells, self.years + 1, len(PLANT_TYPES)), path.name)
            fractions[:, a] = parse_fractions(raw[block, 1:], self._name(path, block))
        return fractions

    def _name(self, path: Path, block: slice) -> str:
        whole = block.stop - block.start == self.cells
        return path.name if whole else f"{path.name} (cells {block.start} to {block.stop - 1})"


_DIMS = {
    "state": ("cell", "stand", "age", "time", "target"),
    "initial_state": ("cell", "stand", "age", "target"),
    "plant_fraction": ("cell", "age", "year", "plant_type"),
}


def find_states(folder: Path, ages: tuple[int, ...], cells: int, years: int) -> StateFiles:
    """Look which stands the folder holds, and whether it has plant fractions; what is absent is logged."""
    stands = tuple(s for s in STANDS if s == "mixture" or _target_file(folder, s, ages[0]).exists())
    if len(stands) < len(STANDS):
        log.warning("%s holds no pure stands; only %s is read", folder, ", ".join(stands))
    fractions = _fraction_file(folder, ages[0]).exists()
    if not fractions:
        log.warning("%s holds no plant fractions (glob_F*.npy)", folder)
    return StateFiles(folder, stands, ages, cells, years, fractions)


def _target_file(folder: Path, stand: str, age: int) -> Path:
    middle = "" if stand == "mixture" else f"_{stand}"
    return folder / f"glob_Y{middle}{age:03d}.npy"


def _fraction_file(folder: Path, age: int) -> Path:
    return folder / f"glob_F{age:03d}.npy"
