"""Opening zip archives whose list of files can be held."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, cast

from dere.regular_file import require_regular

# what the zip module and the decompressors raise on damaged archives
DAMAGE: tuple[type[Exception], ...] = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, LookupError, NotImplementedError,
    RuntimeError, ValueError,
)  # fmt: skip
LISTING = 16 << 20
"""Bytes that the list of an archive's files may have; it is held whole, and one of 100,000 files has some 10 MB."""


class Refused(ValueError):
    """An archive that can be read but must not be; told apart from damage, whose errors are many."""


class _Listed:
    """The file behind an archive, of which no more than ``LISTING`` is read in one piece while its list is read."""

    def __init__(self, stream: IO[bytes], what: str) -> None:
        self._stream, self._what, self.listing = stream, what, True

    def read(self, size: int = -1) -> bytes:
        """Read from the file."""
        if self.listing and size > LISTING:
            raise Refused(
                f"{self._what} has a list of files of {size} bytes, but at most {LISTING} are read; divide the archive"
            )
        return self._stream.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def open_zip(file: Path | IO[bytes], what: str) -> Iterator[zipfile.ZipFile]:
    """Open a zip archive whose list of files is of a size that can be held.

    Raises
    ------
    FileNotFoundError, ValueError
        When a path leads to no regular file, or the list is too long; and what the zip module raises on damage.
    """
    with ExitStack() as stack:
        if isinstance(file, Path):
            try:
                require_regular(file, "correct its path in the config or download it again")
            except ValueError as error:
                raise Refused(str(error)) from None
            file = stack.enter_context(file.open("rb"))
        listed = _Listed(file, what)
        opened = stack.enter_context(zipfile.ZipFile(cast("IO[bytes]", listed)))
        listed.listing = False
        yield opened
