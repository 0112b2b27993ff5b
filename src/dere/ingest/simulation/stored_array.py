"""Large NumPy arrays on disk, mapped into memory one block of rows at a time, also inside an uncompressed npz.

A map of a whole 14 GB file counts against a limit of address space; a map of some rows does not. Every read opens its
own map, so that threads do not share one.
"""

from __future__ import annotations

import io
import math
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import IO

import numpy as np
from numpy.lib import format as npy

from dere.ingest.zips import open_zip
from dere.regular_file import require_regular

# fixed part of a local file header in a zip archive, before the file name and the extra field
_LOCAL_HEADER = 30
_LARGEST_COMPRESSED = 512 * 1024**2
_LONGEST_HEADER = 10_000


@dataclass(frozen=True)
class StoredArray:
    """An array whose first dimension can be read in blocks.

    Parameters
    ----------
    path
        File that holds it.
    name
        For messages: the file, or file and member.
    shape, dtype
        Of the whole array.
    offset
        Bytes before the first value.
    """

    path: Path
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    offset: int

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.itemsize

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Read-only map of rows ``start`` to ``stop``, shape (stop - start, ...)."""
        stop = min(stop, self.shape[0])
        return np.memmap(
            self.path,
            dtype=self.dtype,
            mode="r",
            offset=self.offset + start * self.row_bytes,
            shape=(stop - start, *self.shape[1:]),
        )

    def take(self, first: int) -> StoredArray:
        """Element ``first`` of the leading dimension as an array of its own (an age of ``y_train``)."""
        return StoredArray(
            self.path, self.name, self.shape[1:], self.dtype, self.offset + range(self.shape[0])[first] * self.row_bytes
        )


def stored_npy(path: Path) -> StoredArray:
    """Find shape, type and place of the values of an npy file.

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        When it is no regular file, truncated, no npy file, or of an unusable type or order.
    """
    path = Path(path)
    size = require_regular(path, "correct sources.simulation.path or add the file")
    with path.open("rb") as stream:
        return _described(stream, path, path.name, size)


def stored_member(path: Path, key: str) -> StoredArray:
    """Find shape, type and place of the values of one member of an uncompressed npz file.

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        When it is no npz file, has no such member, the member is compressed, or as `stored_npy`.
    """
    member = _member(path, key)
    name = f"{Path(path).name}[{key}]"
    if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
        raise ValueError(
            f"{name} is compressed ({member.compress_size} of {member.file_size} bytes), but only uncompressed members "
            "can be read in blocks; write the file again with numpy.savez"
        )
    with Path(path).open("rb") as stream:
        stream.seek(member.header_offset)
        header = stream.read(_LOCAL_HEADER)
        if len(header) < _LOCAL_HEADER or header[:4] != b"PK\x03\x04":
            raise ValueError(f"{name} has no file header at byte {member.header_offset}; download the file again")
        # the extra field of the local header may be longer than that of the directory
        name_length, extra_length = struct.unpack("<HH", header[26:30])
        start = member.header_offset + _LOCAL_HEADER + name_length + extra_length
        stream.seek(start)
        return _described(stream, Path(path), name, start + member.file_size)


def read_member(path: Path, key: str) -> np.ndarray:
    """One small member of an npz file, compressed or not.

    Raises
    ------
    FileNotFoundError, ValueError
        As `stored_member`; also when it unpacks to more than 512 MiB.
    """
    member = _member(path, key)
    name = f"{Path(path).name}[{key}]"
    if member.file_size > _LARGEST_COMPRESSED:
        raise ValueError(
            f"{name} unpacks to {member.file_size} bytes, but at most {_LARGEST_COMPRESSED} are read at once; write "
            "the file again with numpy.savez, uncompressed, so that it can be read in blocks"
        )
    try:
        with open_zip(Path(path), str(path)) as archive, archive.open(member) as stream:
            shape, _, dtype = read_header(stream)
        # numpy makes room for what a header states
        if math.prod(shape) * dtype.itemsize > member.file_size:
            raise ValueError(f"shape {shape} of {dtype} in {member.file_size} bytes")
        with np.load(path, allow_pickle=False) as opened:
            array = opened[key]
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, SyntaxError, TokenError) as error:
        raise ValueError(
            f"{name} cannot be read ({' '.join(str(error).split())[:120]}); delete the file and download it again"
        ) from None
    if array.dtype.kind not in "fbiu":
        raise ValueError(f"{name} holds {array.dtype}, but plain numbers are needed; download the file again")
    return array


def member_names(path: Path) -> list[str]:
    """Keys of an npz file.

    Raises
    ------
    FileNotFoundError, ValueError
        When it is missing or no zip archive.
    """
    return [name.removesuffix(".npy") for name in _directory(path)]


def _directory(path: Path) -> dict[str, zipfile.ZipInfo]:
    """Members of a zip archive by name."""
    path = Path(path)
    require_regular(path, "correct sources.simulation.path or add the file")
    try:
        with open_zip(path, str(path)) as archive:
            return {info.filename: info for info in archive.infolist()}
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError) as error:
        raise ValueError(
            f"{path} ({path.stat().st_size} bytes) cannot be read as npz ({error}); it is truncated or of another "
            "format: delete it and download it again"
        ) from None


def _member(path: Path, key: str) -> zipfile.ZipInfo:
    """Directory entry of a key."""
    members = _directory(path)
    if f"{key}.npy" not in members:
        raise ValueError(
            f"{path} has no array '{key}' among {', '.join(sorted(members)) or 'nothing'}; use the published file"
        )
    return members[f"{key}.npy"]


def read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Read the npy header at a stream's position: shape, whether columns come first, and type.

    Raises
    ------
    ValueError, EOFError, OSError, SyntaxError, tokenize.TokenError
        When it is none, or longer than numpy writes one.
    """
    version = npy.read_magic(stream)
    stated = stream.read(2 if version == (1, 0) else 4)
    size = int.from_bytes(stated, "little")
    if size > _LONGEST_HEADER:
        raise ValueError(f"a header of {size} bytes")
    rest = io.BytesIO(stated + stream.read(size))
    shape, fortran, dtype = (npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0)(rest)
    if min(shape, default=0) < 0:
        raise ValueError(f"shape {shape}")
    return shape, fortran, dtype


def _described(stream: IO[bytes], path: Path, name: str, end: int) -> StoredArray:
    """Read the npy header at the stream's position; ``end`` is the byte after the last value."""
    try:
        shape, fortran, dtype = read_header(stream)
    except (ValueError, EOFError, OSError, SyntaxError, TokenError) as error:
        raise ValueError(
            f"{name} ({end} bytes) cannot be read as an npy array ({' '.join(str(error).split())[:120]}); it is "
            "truncated or of another format: delete it and download it again"
        ) from None
    offset = stream.tell()
    if dtype.hasobject or dtype.kind not in "fbiu":
        raise ValueError(f"{name} holds {dtype}, but plain numbers are needed; write it again as float32")
    if not shape:
        raise ValueError(f"{name} holds a single number, but an array by cell is needed; use the published file")
    if fortran and len(shape) > 1:
        raise ValueError(f"{name} is stored in column-major order, but row-major is needed; write it again in C order")
    needed = math.prod(shape) * dtype.itemsize
    if path.stat().st_size < end or end - offset != needed:
        raise ValueError(
            f"{name} holds {min(path.stat().st_size, end) - offset} bytes of values, but shape {shape} of {dtype} "
            f"needs {needed}; it is truncated or damaged: delete it and download it again"
        )
    return StoredArray(path, name, tuple(shape), dtype, offset)
