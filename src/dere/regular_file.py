"""Whether a path leads to a regular file of a size that is read, asked before anything is opened.

A named pipe blocks whoever opens it, a device may never end, and a link may lead to either; so every reader of a file
that a user names, or that lies in a folder that a user names, asks here first.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

MOST_FILES = 300_000
"""Files and folders below one folder; the largest store of towers has some 60,000."""

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
# what the system answers where a path leads nowhere
_NOWHERE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EINVAL)


def require_regular(path: Path, remedy: str, most: int | None = None) -> int:
    """Check that a path, or what it links to, is a regular file, and return its size in bytes.

    Parameters
    ----------
    path
        File to be opened.
    remedy
        End of the sentence for a file that is missing or of another kind.
    most
        Largest size in bytes; None = any.

    Raises
    ------
    FileNotFoundError
        When there is nothing.
    ValueError
        When it is a folder, a named pipe, a socket, a device or a link to itself, or larger than ``most``.
    OSError
        When the system does not let it be looked at.
    """
    try:
        found = os.stat(path)
    except ValueError:  # a NUL in the name
        raise FileNotFoundError(f"{str(path)!r} does not exist; {remedy}") from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise ValueError(f"{path} is a link that leads back to itself, but a file is expected; {remedy}") from None
        if error.errno not in _NOWHERE:
            raise
        raise FileNotFoundError(f"{path} does not exist; {remedy}") from None
    if not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "no regular file")
        raise ValueError(f"{path} is {kind}, but a file is expected; {remedy}")
    if most is not None and found.st_size > most:
        raise ValueError(f"{path} has {found.st_size} bytes, but at most {most} are read; {remedy}")
    return found.st_size


def too_many(folder: Path | str) -> ValueError:
    """Return the sentence about a folder with more in it than ``MOST_FILES``."""
    return ValueError(
        f"{folder} holds more than {MOST_FILES} files and folders, but that of one source is expected; name the folder "
        "below it, or remove links that lead in a circle"
    )


def files_below(folder: Path) -> list[Path]:
    """Return what lies below a folder and is none itself, sorted.

    Links to folders are followed, because readers follow them, but for those that lead back to a folder above. A folder
    that may not be looked into is empty.

    Raises
    ------
    ValueError
        When there is more than ``MOST_FILES``.
    """
    found = list(islice(_below(folder), MOST_FILES + 1))
    if len(found) > MOST_FILES:
        raise too_many(folder)
    return sorted(path for path, is_folder in found if not is_folder)


def _below(folder: Path) -> Iterator[tuple[Path, bool]]:
    """Yield everything below a folder, and whether it is a folder."""
    waiting: list[tuple[Path, frozenset[tuple[int, int]]]] = [(folder, frozenset())]
    while waiting:
        here, above = waiting.pop()
        try:
            status = here.stat()
            entries = list(os.scandir(here))
        except OSError:
            continue
        if (own := (status.st_dev, status.st_ino)) in above:
            continue
        for entry in entries:
            path, is_folder = here / entry.name, _is_folder(entry)
            if is_folder:
                waiting.append((path, above | {own}))
            yield path, is_folder


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False
