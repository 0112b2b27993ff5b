"""What lies below the tower folders: files, the insides of zip archives, and folders that a source reads whole.

Hidden files are given too, so that they are accounted for; what is behind them is the caller's to leave alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from dere.ingest.archives import Member, TableFile, is_hidden, members, with_limits
from dere.ingest.limits import Limits
from dere.ingest.source import Source
from dere.ingest.unread import LEFT_BY_SNAKEMAKE
from dere.regular_file import MOST_FILES, too_many

ARCHIVE = ".zip"
STORE = "store that no source knows"
"""Why a folder is not searched that holds nothing but the chunks of one data set."""
_STORES = (".zarr",)


def entries(
    path: Path,
    relative: str,
    among: Sequence[Source],
    above: frozenset[tuple[int, int]] = frozenset(),
    visits: Iterator[int] | None = None,
) -> Iterator[tuple[Path, str, Source | None]]:
    """Yield the files below a path with their paths from the source folder on, and folders that a source reads whole.

    Folders that are not searched are yielded as they are: hidden ones, stores that no source knows, and links back to a
    folder above.

    Parameters
    ----------
    path, relative
        Where to look, and its path from the source folder on.
    among
        Sources that may read a folder whole.
    above
        The folders that it lies in (device and inode), which a link may lead back to.
    visits
        Counts all that was looked at, since links between folders lead along more ways than there are files.

    Raises
    ------
    ValueError
        When there is more than ``MOST_FILES``.
    """
    visits = visits or count()
    if next(visits) > MOST_FILES:
        raise too_many(path)
    if not path.is_dir():
        yield path, relative, None
        return
    status = path.stat()
    here = status.st_dev, status.st_ino
    source = next((source for source in among if source.folder and source.matches(relative)), None)
    if source or here in above or path.suffix.lower() in _STORES or (above and path.name.startswith(".")):
        yield path, relative, None if here in above else source
        return
    for inside in sorted(found for found in path.iterdir() if found.name != LEFT_BY_SNAKEMAKE):
        yield from entries(inside, f"{relative}/{inside.name}", among, above | {here}, visits)


def inside(path: Path, relative: str, limits: Limits) -> Iterator[tuple[TableFile, str]]:
    """Give the file itself, or what lies inside the archive, with the path that sources match.

    Raises
    ------
    ValueError
        When the archive cannot be opened.
    """
    if path.suffix.lower() != ARCHIVE or hidden(path):
        yield with_limits(path, limits), relative
        return
    for member in members(path, limits, hidden=True):
        yield member, "/".join(filter(None, (relative, member.inner, member.stored))).replace("\\", "/")


def hidden(file: TableFile) -> bool:
    """Whether a file is hidden, or attributes that a Mac adds to an archive."""
    return is_hidden(file.stored) if isinstance(file, Member) else file.name.startswith(".")


def why_not_searched(path: Path) -> str:
    """Why a folder was yielded that no source reads."""
    if path.name.startswith("."):
        return "hidden folder"
    return STORE if path.suffix.lower() in _STORES else "link to a folder above"
