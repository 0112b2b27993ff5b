"""What source files say, kept between calls by their content: parsing is half of what planning a run takes.

Nothing else counts: a file with another text, in another package, or read by another version of this code or of Python
is read anew. A kept file that cannot be read is as none; one that cannot be written is done without.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from dere.workflow.plan import STATE, write_note

FILE = STATE / "sources.json"
READERS = ("digest.py", "known_sources.py", "meaning.py")
"""Files beside this one whose text decides what is said of a source."""
MOST = 5000
"""Sources that are kept; with more, only those of the last call stay."""


class Said(NamedTuple):
    """What a source file says by itself, whatever lies beside it.

    Parameters
    ----------
    names
        Dotted names that it imports, sorted.
    rooms
        Package and marker of each room whose members it asks for.
    digest
        Of what it does.
    """

    names: tuple[str, ...]
    rooms: tuple[tuple[str, str], ...]
    digest: str


_kept: dict[str, Said] = {}
_used: dict[str, Said] = {}


def said(text: str, package: str, read: Callable[[], Said]) -> Said:
    """Return what a source says, from a call before or by ``read``.

    Parameters
    ----------
    text
        Of the file.
    package
        Dotted name of the package that it lies in, which relative imports begin at; empty outside one.
    read
        Reads it.
    """
    key = sha256(f"{package}\n{text}".encode()).hexdigest()
    if key not in _used:
        _used[key] = _kept.get(key) or read()
    return _used[key]


def keep(file: Path = FILE) -> None:
    """Take what calls before kept in a file, and keep there what this one reads, when it ends."""
    file, made_by = file.absolute(), _made_by()
    with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        found = json.loads(file.read_text(encoding="utf-8"))
        if found["made_by"] == made_by:
            _kept.update({key: _read(*value) for key, value in found["sources"].items()})
    atexit.register(_write, file, made_by, os.getpid())


def _read(names: Sequence[str], rooms: Sequence[Sequence[str]], digest: str) -> Said:
    return Said(tuple(names), tuple((package, marker) for package, marker in rooms), digest)


def _write(file: Path, made_by: str, process: int) -> None:
    if os.getpid() != process or _used.keys() <= _kept.keys():
        return
    both = _kept | _used
    with suppress(OSError):
        write_note({"made_by": made_by, "sources": both if len(both) <= MOST else _used}, file)


def _made_by() -> str:
    texts = [Path(__file__).with_name(name).read_bytes() for name in READERS]
    return sha256(b"\n".join([sys.version.encode(), *texts])).hexdigest()
