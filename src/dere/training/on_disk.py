"""Arrays that do not fit into memory, in files without a name: their pages are the system's, and it may drop them.

What is written goes through calls that report a full disk, and only then is it mapped: a mapped page that cannot be
written would end the process.
"""

from __future__ import annotations

import math
import mmap
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dere.io import unwritable


class RowsOnDisk:
    """An array (row, ...) of single precision, written row by row in any order.

    Parameters
    ----------
    shape
        Of the array.
    folder
        On the disk that shall hold it; what was not written takes no space there.

    Raises
    ------
    ValueError
        When the folder cannot be written.
    """

    def __init__(self, shape: tuple[int, ...], folder: Path) -> None:
        self._row = math.prod(shape[1:]) * np.dtype(np.float32).itemsize
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 (open as long as the array)
            self._file.truncate(max(1, shape[0] * self._row))
        except OSError as error:
            raise _refused(error, folder) from None
        self._folder = folder
        self._pages = mmap.mmap(self._file.fileno(), 0)
        values = np.frombuffer(self._pages, np.float32, math.prod(shape))
        self.array: NDArray[np.float32] = values.reshape(shape)

    def write(self, first: int, rows: NDArray[np.float32]) -> None:
        """Write some rows.

        Raises
        ------
        ValueError
            When the disk is full.
        """
        left = np.ascontiguousarray(rows, np.float32).data.cast("B")
        position = first * self._row
        try:
            while left:
                written = os.pwrite(self._file.fileno(), left, position)
                left, position = left[written:], position + written
        except OSError as error:
            raise _refused(error, self._folder) from None

    def ahead(self, rows: ArrayLike) -> None:
        """Let the system read some rows while something else is computed."""
        for row in np.unique(np.asarray(rows)).tolist():
            first = row * self._row // mmap.PAGESIZE * mmap.PAGESIZE
            self._pages.madvise(mmap.MADV_WILLNEED, first, (row + 1) * self._row - first)


def stacked_on_disk(blocks: Iterable[NDArray[np.float32]], rows: int, folder: Path) -> RowsOnDisk:
    """Write blocks of rows one after the other; the whole stays on disk."""
    whole: RowsOnDisk | None = None
    first = 0
    for block in blocks:
        whole = whole or RowsOnDisk((rows, *block.shape[1:]), folder)
        whole.write(first, block)
        first += len(block)
    assert whole is not None and first == rows
    return whole


def _refused(error: OSError, folder: Path) -> ValueError:
    # the file has no name that an error could tell
    error.filename = f"a temporary file in {folder}"
    return ValueError(unwritable(error) or f"{error.filename} cannot be written ({error.strerror}); give another path")
