"""Members of an npz file, each read alone or in slabs along its first axis; the file is never whole in memory.

Nothing is unpickled, and a member's name is a key, never a path.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from tokenize import TokenError
from typing import IO

import numpy as np

from dere.ingest.simulation.stored_array import read_header
from dere.ingest.zips import open_zip
from dere.regular_file import require_regular

_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, KeyError)
SLAB_BYTES = 64 << 20
"""Slabs are cut to about this size."""


class Npz:
    """An npz file of numbers.

    Parameters
    ----------
    path
        The file; plain or compressed members, any float type.

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        When it is no zip archive, or one of its members no array of numbers.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        require_regular(self.path, "correct sources.simulation.path or add the file")
        try:
            with open_zip(self.path, str(self.path)) as archive:
                self._members = {
                    info.filename.removesuffix(".npy"): info
                    for info in archive.infolist()
                    if info.filename.endswith(".npy")
                }
        except _DAMAGED as error:
            raise self._damaged(error) from None

    @property
    def name(self) -> str:
        """File name, for messages."""
        return self.path.name

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of the arrays."""
        return tuple(self._members)

    def require(self, *keys: str) -> None:
        """Check that arrays are there.

        Raises
        ------
        ValueError
            Names the file, what is missing and what it holds.
        """
        missing = [key for key in keys if key not in self._members]
        if missing:
            held = ", ".join(self.keys[:8]) + (", ..." if len(self.keys) > 8 else "")
            raise ValueError(
                f"{self.name} has no array {', '.join(missing)} among its {len(self.keys)} ({held}); take the file of "
                "this name from ai-spatial/DERE or correct its keys"
            )

    def shape(self, key: str) -> tuple[int, ...]:
        """Shape of an array; only its header is read."""
        self.require(key)
        try:
            with open_zip(self.path, str(self.path)) as archive, archive.open(self._members[key]) as stream:
                return self._header(stream, key)[0]
        except _DAMAGED as error:
            raise self._damaged(error, key) from None

    def read(self, key: str, expected: tuple[int | None, ...], dtype: type = np.float32) -> np.ndarray:
        """Read one array whole.

        Parameters
        ----------
        key
            Its name.
        expected
            Its shape; None = any length.
        dtype
            Type to convert to.

        Raises
        ------
        ValueError
            A missing, truncated or non-numeric array, or another shape.
        """
        parts = list(self.slabs(key, expected, dtype))
        shape = self.shape(key)
        return np.concatenate([part for _, part in parts]) if parts else np.empty(shape, dtype)

    def slabs(
        self, key: str, expected: tuple[int | None, ...], dtype: type = np.float32, rows: int | None = None
    ) -> Iterator[tuple[slice, np.ndarray]]:
        """Read an array in slabs along its first axis, in order.

        Parameters
        ----------
        key, expected, dtype
            As in :meth:`read`.
        rows
            Rows per slab; by default about ``SLAB_BYTES``.

        Yields
        ------
        tuple
            Rows and values (rows, ...).
        """
        self.require(key)
        try:
            with open_zip(self.path, str(self.path)) as archive, archive.open(self._members[key]) as stream:
                shape, fortran, stored = self._header(stream, key)
                self._check_shape(key, shape, expected)
                inner = math.prod(shape[1:])
                step = rows or max(1, SLAB_BYTES // max(1, inner * stored.itemsize))
                if fortran:
                    # the first axis is the fastest one: nothing can be cut from it before all was read
                    whole = self._take(stream, key, stored, math.prod(shape)).reshape(shape[::-1]).T
                for first in range(0, shape[0], step):
                    chosen = slice(first, min(first + step, shape[0]))
                    count = chosen.stop - first
                    part = whole[chosen] if fortran else self._take(stream, key, stored, count * inner)
                    yield chosen, np.ascontiguousarray(part.reshape(count, *shape[1:]), dtype=dtype)
        except _DAMAGED as error:
            raise self._damaged(error, key) from None

    def _take(self, stream: IO[bytes], key: str, stored: np.dtype, count: int) -> np.ndarray:
        """Next ``count`` values of a member."""
        wanted = count * stored.itemsize
        left = self._members[key].file_size - stream.tell()
        # a header may state what no memory holds: no more is asked for than there is
        content = stream.read(min(wanted, max(0, left)))
        if len(content) < wanted:
            raise ValueError(
                f"{self.name}: array {key} ends after {len(content)} of {wanted} further bytes; it is truncated: "
                "delete the file and download it again"
            )
        return np.frombuffer(content, dtype=stored)

    def _header(self, stream: IO[bytes], key: str) -> tuple[tuple[int, ...], bool, np.dtype]:
        """Shape, order and type of a member."""
        try:
            shape, fortran, stored = read_header(stream)
        # a header is a Python literal: damage shows as an error of numpy's or of its parser
        except (ValueError, SyntaxError, TokenError) as error:
            raise ValueError(
                f"{self.name}: {key} cannot be read as an array ({' '.join(str(error).split())[:120]}); the file is "
                "damaged: delete it and download it again"
            ) from None
        if stored.kind not in "fiu":
            raise ValueError(
                f"{self.name}: array {key} holds {stored} of shape {shape}, but numbers are needed (objects are never "
                "unpickled); export it as float32"
            )
        return shape, fortran, stored

    def _check_shape(self, key: str, shape: tuple[int, ...], expected: tuple[int | None, ...]) -> None:
        fits = len(shape) == len(expected) and all(e in (None, s) for s, e in zip(shape, expected, strict=True))
        if not fits:
            wanted = ", ".join("n" if e is None else str(e) for e in expected)
            raise ValueError(
                f"{self.name}: array {key} has shape {shape}, but ({wanted}) is expected; take the file of the same "
                "release as the others, or correct sources.simulation.ages where the number of ages differs"
            )

    def _damaged(self, error: BaseException, key: str = "") -> ValueError:
        where = f"array {key}" if key else "it"
        return ValueError(
            f"{self.path} ({self.path.stat().st_size} bytes) cannot be read as npz ({where}: "
            f"{' '.join(str(error).split())[:120]}); it is truncated or of another format: delete it and download it "
            "again"
        )
