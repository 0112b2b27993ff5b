"""What the two forms of the public CarbonGlobe share: checks of shape, GPP for the test of months, lazy drivers."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.blocks import fits, lazy_variables, rows_per_block, slices
from dere.channels import DIURNAL, turned
from dere.ingest.simulation.carbonglobe_forcing import CHANNELS, parse_channels, parse_soil
from dere.ingest.simulation.carbonglobe_states import SEVEN_TARGETS
from dere.ingest.simulation.carbonglobe_survey import Survey, compare_with, read_statistics
from dere.ingest.simulation.stored_array import StoredArray
from dere.variables import TARGETS, RangeTally, convert

log = logging.getLogger(__name__)

DEFAULT_MEMORY = 4 << 30
"""Blocks of a pass over a file are cut as for a job of this memory where no limit is given."""
_HOURLY = ("co2_hourly", *DIURNAL)


def require_channels(driver_set: str, folder: Path) -> None:
    """Check the driver set.

    Raises
    ------
    ValueError
        When it is not ``carbonglobe136``.
    """
    if driver_set != "carbonglobe136":
        raise ValueError(
            f"harmonise.driver_set is '{driver_set}', but {folder} is the public CarbonGlobe, whose 136 channels hold "
            "no longwave radiation and pressure; set it to carbonglobe136"
        )


def check_drivers(channels: StoredArray, cells: int, origin: str) -> None:
    """Check the shape of the drivers.

    Raises
    ------
    ValueError
        When it is not (cells, years, 12, 136).
    """
    shape = channels.shape
    if len(shape) != 4 or shape[0] != cells or shape[1] < 1 or shape[2:] != (12, CHANNELS):
        raise ValueError(
            f"{channels.name} has shape {channels.shape}, but ({cells}, years, 12, {CHANNELS}) is needed for the "
            f"{cells} cells of {origin}; use the files of one release"
        )


def check_targets(array: StoredArray, cells: int, years: int) -> None:
    """Check the shape of one age's targets.

    Raises
    ------
    ValueError
        When it is not (cells, years + 1, 12, 7 or 10).
    """
    if array.shape[:-1] != (cells, years + 1, 12) or array.shape[-1] not in (len(SEVEN_TARGETS), len(TARGETS)):
        raise ValueError(
            f"{array.name} has shape {array.shape}, but ({cells}, {years + 1}, 12, 7) is needed, one year more than "
            "the drivers for the initial state; use the files of one release"
        )


def gpp_series(stored: list[StoredArray]) -> Iterator[NDArray[np.float64]]:
    """GPP of every cell in gC m-2 d-1 without the initial year, in blocks (series, year, 12)."""
    channel = SEVEN_TARGETS.index("gpp")
    for array in stored:
        for block in slices(array.shape[0], rows_per_block(array.row_bytes, DEFAULT_MEMORY)):
            raw = array.rows(block.start, block.stop)[:, 1:, :, channel]
            yield convert(np.nan_to_num(np.asarray(raw, np.float64)), "kgC m-2 yr-1", "gC m-2 d-1")


def forcing_variables(
    parts: Mapping[str, StoredArray], first: int, shift: NDArray[np.int64] | None, memory: int | None
) -> dict[str, xr.Variable]:
    """Drivers and soil of one or several arrays (cell, year, 12, 136), one after the other.

    Parameters
    ----------
    parts
        Arrays by a name for messages.
    first
        Month number of the first month.
    shift
        (cell,) hours to local time over all arrays, or None.
    memory
        Bytes that the job may use; None = everything in memory.
    """
    cells = sum(array.shape[0] for array in parts.values())
    row_size = max(array.row_bytes for array in parts.values())

    def read(block: slice) -> dict[str, NDArray]:
        variables = _parse_rows(parts, block, first)
        if shift is not None:
            for name in _HOURLY:
                variables[name] = variables[name].copy(data=turned(variables[name].values, shift[block]))
        return {name: variable.values for name, variable in variables.items()}

    # one cell for types and attributes; what is odd in it is logged with its block
    template = _parse_rows(parts, slice(0, 1), first, RangeTally())
    if fits(cells * row_size, memory):
        values = read(slice(0, cells))
        return {name: xr.Variable(template[name].dims, values[name], template[name].attrs) for name in values}
    return lazy_variables(read, template, cells, rows_per_block(row_size, memory or DEFAULT_MEMORY))


def _parse_rows(
    parts: Mapping[str, StoredArray], block: slice, first: int, tally: RangeTally | None = None
) -> dict[str, xr.Variable]:
    """Canonical variables of cells ``block`` of the arrays joined; without a tally odd values are logged by block."""
    pieces, begin = [], 0
    for array in parts.values():
        end = begin + array.shape[0]
        if block.start < end and block.stop > begin:
            pieces.append(array.rows(max(block.start, begin) - begin, min(block.stop, end) - begin))
        begin = end
    raw = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
    name = f"{next(iter(parts.values())).name} (cells {block.start} to {block.stop - 1})"
    return {**parse_channels(raw, first, name, tally), "soil": parse_soil(raw)}


def report_statistics(path: Path, found: Survey) -> None:
    """Compare the published statistics with the data, where the file is at hand."""
    if path.exists():
        off = compare_with(read_statistics(path), found, path.name)
        log.info("%s: %d means and spreads of channels disagree with the drivers", path.name, off)
