"""Files inside zip archives, read in memory: nothing is unpacked, and a name inside an archive is never a path here.

Tower products come as one zip per site (FLUXNET2015, AmeriFlux, ICOS ETC, the shuttle) or as one zip of such zips (an
ICOS release). A :class:`Member` stands for one file inside; readers get it in place of a path and read it through
``dere.ingest.tables.read_bytes``. What unpacks to more than the limits is refused before it is unpacked.
"""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from dere.ingest.archive_faults import reason_of, unreadable
from dere.ingest.limits import Limits, check_size
from dere.ingest.zips import DAMAGE, Refused, open_zip

MEMBERS = 200_000
"""Files of an archive and of the archives in it."""


@dataclass(frozen=True)
class Member:
    """One file inside a zip archive.

    Parameters
    ----------
    archive
        The archive.
    stored
        Name inside the archive; a key, never a path.
    inner
        Name of the archive inside the archive that holds it; empty = none.
    limits
        What it may unpack to.
    size
        Bytes after unpacking, as the archive's directory says; 0 where nobody asked.
    """

    archive: Path
    stored: str
    inner: str = ""
    limits: Limits = field(default_factory=Limits, compare=False)
    size: int = field(default=0, compare=False)

    @property
    def name(self) -> str:
        """File name without the folders inside the archive."""
        return re.split(r"[/\\]", self.stored)[-1]

    @property
    def suffix(self) -> str:
        """Last extension of the name, as of a path."""
        return Path(self.name).suffix

    def __str__(self) -> str:
        return f"{self.archive}: {'/'.join(filter(None, (self.inner, self.stored)))!r}"


if TYPE_CHECKING:
    _ConcretePath = Path
else:
    # before Python 3.12 only the class of the platform can be extended
    _ConcretePath = type(Path())


class LimitedPath(_ConcretePath):
    """A file on disk with what it may unpack to, as a :class:`Member` has it; made by :func:`with_limits`.

    Paths derived from it (``with_name`` ...) have the default limits.
    """

    limits: Limits = Limits()

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies keep the limits, also those for another process."""
        return with_limits, (Path(self), self.limits)


TableFile = Path | Member


def with_limits(path: Path, limits: Limits) -> LimitedPath:
    """The same path; ``csv.gz`` and ``xlsx`` behind it may unpack to ``limits``."""
    limited = LimitedPath(path)
    limited.limits = limits
    return limited


def limits_of(file: TableFile) -> Limits:
    """What a file may unpack to; the default for a path that nobody gave limits."""
    return file.limits if isinstance(file, (Member, LimitedPath)) else Limits()


def container(file: TableFile) -> Path:
    """File on disk that holds ``file``: the archive of a member, else the path itself."""
    return file.archive if isinstance(file, Member) else file


def label(file: TableFile) -> str:
    """Short text for messages and tables: the name, with its archive where there is one."""
    return f"{file.archive.name}/{file.name}" if isinstance(file, Member) else file.name


def beside(file: TableFile, name: str) -> TableFile | None:
    """File called ``name`` in the same folder or archive folder; None when there is none."""
    if isinstance(file, Path):
        candidates = (file.with_name(name), file.with_name(f"{name}.gz"))
        return next((with_limits(path, limits_of(file)) for path in candidates if path.is_file()), None)
    stored = file.stored[: len(file.stored) - len(file.name)] + name
    wanted = replace(file, stored=stored)
    return wanted if wanted in members(file.archive, file.limits) else None


def members(archive: Path, limits: Limits, hidden: bool = False) -> list[Member]:
    """Files inside a zip archive and inside the zip archives in it, in their order; only directories are read.

    Hidden files (``.name``) and what a Mac adds below ``__MACOSX`` are left out unless ``hidden``; none is opened.

    Raises
    ------
    ValueError
        When it is no zip file, truncated, holds one name twice, or archives inside archives inside archives.
    """
    found: list[Member] = []
    try:
        with open_zip(Path(archive), str(archive)) as outer:
            for name, size in _sizes(outer, str(archive), hidden).items():
                if len(found) > MEMBERS:
                    raise Refused(f"{archive} holds more than {MEMBERS} files, which no product has; divide it")
                if not name.lower().endswith(".zip") or is_hidden(name):
                    found.append(Member(Path(archive), name, limits=limits, size=size))
                    continue
                sizes = _inner_sizes(outer, Member(Path(archive), name, limits=limits), hidden)
                found += [Member(Path(archive), within, name, limits, size) for within, size in sizes.items()]
    except Refused:
        raise
    except DAMAGE as error:
        raise unreadable(archive, error) from None
    deeper = next(
        (member for member in found if member.suffix.lower() == ".zip" and not is_hidden(member.stored)), None
    )
    if deeper is not None:
        raise ValueError(f"{deeper} is an archive three levels deep, and two are opened; unpack the outermost by hand")
    return found


def _inner_sizes(outer: zipfile.ZipFile, inner: Member, hidden: bool) -> dict[str, int]:
    """Names and sizes of the files of an archive inside an open one.

    Raises
    ------
    Refused
        When it is no archive or damaged.
    """
    try:
        with _open(outer, inner) as stream, open_zip(stream, str(inner)) as inside:
            return _sizes(inside, str(inner), hidden)
    except Refused:
        raise
    except DAMAGE as error:
        raise Refused(
            f"{inner} cannot be read as a zip archive ({reason_of(error)}); it is damaged or of another format: "
            f"download {inner.archive.name} again, or unpack it by hand and leave this file out"
        ) from None


def stored_names(archive: Path) -> list[str]:
    """Names of the files that lie directly in an archive, from its directory: nothing is unpacked.

    Raises
    ------
    ValueError
        When it is no zip file, truncated, or holds one name twice.
    """
    try:
        with open_zip(Path(archive), str(archive)) as opened:
            return list(_sizes(opened, str(archive)))
    except Refused:
        raise
    except DAMAGE as error:
        raise unreadable(archive, error) from None


def emptiness(archive: Path) -> str:
    """What an archive without files is, in words.

    Raises
    ------
    ValueError
        As :func:`stored_names`.
    """
    try:
        with open_zip(Path(archive), str(archive)) as opened:
            return "archive that holds only folders" if opened.infolist() else "archive without files"
    except DAMAGE as error:
        raise unreadable(archive, error) from None


def _sizes(opened: zipfile.ZipFile, what: str, hidden: bool = False) -> dict[str, int]:
    """Names of the files of an open archive, and what they unpack to; hidden ones only where asked for."""
    infos = [info for info in opened.infolist() if not info.is_dir()]
    counts = Counter(info.filename for info in infos if not is_hidden(info.filename))
    if twice := next((name for name, count in counts.items() if count > 1), ""):
        raise Refused(f"{what} holds {twice!r} twice, but each file may stand in an archive once; download it again")
    sizes = {info.filename: info.file_size for info in infos if hidden or not is_hidden(info.filename)}
    return sizes


def is_hidden(stored: str) -> bool:
    """Whether a name is hidden, or attributes that a Mac stores beside each file under the file's own name."""
    *folders, name = re.split(r"[/\\]", stored)
    return name.startswith(".") or "__MACOSX" in folders


def _open(opened: zipfile.ZipFile, member: Member) -> IO[bytes]:
    """Open a file of an archive that is within the limits."""
    info = opened.getinfo(member.stored)
    if info.flag_bits & 1:
        raise Refused(
            f"{member} is encrypted, but archives without a password are needed; unpack it by hand and put the csv "
            "files in its place"
        )
    check_size(info.file_size, info.compress_size, str(member), member.limits)
    # a directory that lies about the size ends in a wrong checksum, because no more than it says is unpacked
    return opened.open(info)


def read_member(member: Member) -> bytes:
    """Content of a file inside an archive.

    Raises
    ------
    ValueError
        When it is encrypted, damaged, compressed in an unknown way, or unpacks to more than the limits.
    """
    try:
        with open_zip(member.archive, str(member.archive)) as opened:
            if not member.inner:
                with _open(opened, member) as stream:
                    return stream.read()
            within = replace(member, stored=member.inner, inner="")
            with (
                _open(opened, within) as inner,
                open_zip(inner, str(within)) as inside,
                _open(inside, member) as stream,
            ):
                return stream.read()
    except Refused:
        raise
    except DAMAGE as error:
        raise ValueError(
            f"{member} cannot be unpacked ({reason_of(error)}); the archive is truncated or damaged: delete it and "
            "download it again"
        ) from None
