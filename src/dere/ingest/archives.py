"""Files inside zip archives, read in memory: nothing is unpacked, and a name inside an archive is never a path here.

Tower products come as one zip per site (FLUXNET2015, AmeriFlux, ICOS ETC, the shuttle). A :class:`Member` stands for
one file inside; readers get it in place of a path and read it through ``dere.ingest.tables.read_bytes``. What unpacks
to more than the limits is refused before it is unpacked.
"""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

# files as small as this may compress as well as they like: rows of -9999 shrink by several hundred
_SMALL = 20 << 20


@dataclass(frozen=True)
class Limits:
    """What a compressed file may unpack to.

    Parameters
    ----------
    bytes
        Largest size after unpacking.
    ratio
        Largest ratio of unpacked to stored size, for files above 20 MiB.
    """

    bytes: int = 4 << 30
    ratio: float = 200.0

    def allowed(self, stored: int) -> int:
        """Bytes that ``stored`` compressed bytes may unpack to."""
        return min(self.bytes, max(_SMALL, int(self.ratio * stored)))


@dataclass(frozen=True)
class Member:
    """One file inside a zip archive.

    Parameters
    ----------
    archive
        The archive.
    stored
        Name inside the archive; a key, never a path.
    limits
        What it may unpack to.
    """

    archive: Path
    stored: str
    limits: Limits = field(default_factory=Limits, compare=False)

    @property
    def name(self) -> str:
        """File name without the folders inside the archive."""
        return re.split(r"[/\\]", self.stored)[-1]

    @property
    def suffix(self) -> str:
        """Last extension of the name, as of a path."""
        return Path(self.name).suffix

    def __str__(self) -> str:
        return f"{self.archive}: {self.stored!r}"


TableFile = Path | Member


def container(file: TableFile) -> Path:
    """File on disk that holds ``file``: the archive of a member, else the path itself."""
    return file.archive if isinstance(file, Member) else file


def label(file: TableFile) -> str:
    """Short text for messages and tables: the name, with its archive where there is one."""
    return f"{file.archive.name}/{file.name}" if isinstance(file, Member) else file.name


def beside(file: TableFile, name: str) -> TableFile | None:
    """File called ``name`` in the same folder or archive folder; None when there is none."""
    if isinstance(file, Path):
        return next((p for p in (file.with_name(name), file.with_name(f"{name}.gz")) if p.is_file()), None)
    stored = file.stored[: len(file.stored) - len(file.name)] + name
    return next((m for m in members(file.archive, file.limits) if m.stored == stored), None)


def members(archive: Path, limits: Limits) -> list[Member]:
    """Files inside a zip archive, in the order of the archive; only its directory is read.

    Raises
    ------
    ValueError
        When it is no zip file, truncated, or holds one name twice.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            names = [info.filename for info in opened.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{archive} ({archive.stat().st_size} bytes) cannot be read as a zip archive ({_reason(error)}); it is "
            "truncated or of another format: delete it and download it again"
        ) from None
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(
            f"{archive} holds {twice!r} twice, but each file may stand in an archive once; download it again"
        )
    return [Member(Path(archive), name, limits) for name in names]


def read_member(member: Member) -> bytes:
    """Content of a file inside an archive.

    Raises
    ------
    ValueError
        When it is encrypted, damaged, compressed in an unknown way, or unpacks to more than the limits.
    """
    try:
        with zipfile.ZipFile(member.archive) as opened:
            info = opened.getinfo(member.stored)
            if info.flag_bits & 1:
                raise ValueError(
                    f"{member} is encrypted, but archives without a password are needed; unpack it by hand and put the "
                    "csv files in its place"
                )
            check_size(info.file_size, info.compress_size, str(member), member.limits)
            # a directory that lies about the size ends in a wrong checksum, because no more than it says is unpacked
            return opened.read(info)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, KeyError) as error:
        raise ValueError(
            f"{member} cannot be unpacked ({_reason(error)}); the archive is truncated or damaged: delete it and "
            "download it again"
        ) from None


def check_size(size: int, stored: int, what: str, limits: Limits) -> None:
    """Check that a compressed file does not unpack to more than allowed.

    Raises
    ------
    ValueError
        Names both sizes and the settings to raise for an honest file.
    """
    if size > limits.allowed(stored):
        raise ValueError(
            f"{what} unpacks from {stored} to {size} bytes, but at most {limits.allowed(stored)} are allowed; if the "
            "file is to be trusted, raise sources.towers.maximum_member_gb and maximum_compression"
        )


def gunzip(content: bytes, what: str, limits: Limits) -> bytes:
    """Unpack gzip content up to the limits.

    Raises
    ------
    ValueError
        When it is truncated, not gzip, or unpacks to more than allowed.
    """
    allowed = limits.allowed(len(content))
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            unpacked = stream.read(allowed + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(
            f"{what} ({len(content)} bytes) cannot be decompressed ({_reason(error)}); it is truncated or not "
            "gzip: delete it and download it again"
        ) from None
    check_size(len(unpacked), len(content), what, limits)
    return unpacked


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
