"""What stands in the files that a run is given: sums of their content, kept until a file changes."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from dere.io import file_sha256
from dere.workflow.plan import STATE, Planned, PlannedFile, state_of, write_note

_SETTLED_S = 2.0
"""A file that was written a moment ago may be written again within the same tick of the file system's clock."""
_TOLD_FROM = 500_000_000
"""Bytes from which progress is shown."""
_TOLD_EVERY_S = 5.0

State = tuple[int, ...]


def contents(files: Sequence[str], state: Path = STATE, tell: Callable[[str], None] | None = None) -> Planned:
    """Return one digest of the content of files, and each file's own.

    Parameters
    ----------
    files
        Paths; one digest also says which there are.
    state
        Folder of the sums that are known from before: a file is read again where its size, inode or change time is
        another, so that the date it states does not matter.
    tell
        Takes a line of progress where much has to be read; the console by default.

    Raises
    ------
    FileNotFoundError
        When a file is missing.
    """
    store = state / "contents.json"
    known = _read(store)
    found = {file: _state(file) for file in files}
    unknown = [file for file in files if _known_sum(known, file, found[file]) is None]
    sums = _sums(unknown, found, tell or _say)
    fresh = {file: [*found[file], digest] for file, digest in sums.items() if _settled(found[file])}
    if fresh:
        _write(store, {**_read(store), **{os.path.abspath(file): entry for file, entry in fresh.items()}})
    marks = {file: sums.get(file) or _known_sum(known, file, found[file]) or "" for file in files}
    text = "\n".join(f"{file} {marks[file]}" for file in sorted(marks))
    planned = [PlannedFile(file, os.path.abspath(file), found[file], marks[file]) for file in files]
    return Planned(sha256(text.encode()).hexdigest()[:16], planned)


def _state(file: str) -> State:
    if not (state := state_of(file)):
        raise FileNotFoundError(f"{file} does not exist any more; put it back, or correct the paths under sources")
    return state


def _known_sum(known: dict[str, list[object]], file: str, state: State) -> str | None:
    *before, digest = known.get(os.path.abspath(file), [None])
    return str(digest) if tuple(before) == state else None


def _settled(state: State) -> bool:
    return time.time() - state[2] / 1e9 > _SETTLED_S


def _sums(files: Sequence[str], states: dict[str, State], tell: Callable[[str], None]) -> dict[str, str]:
    """Read files and return their sums; of much, say how far it is."""
    total = sum(states[file][0] for file in files)
    told, done, found = time.monotonic(), 0, {}
    if total > _TOLD_FROM:
        tell(f"Reading {len(files)} input files ({total / 1e9:.1f} GB) to tell whether their content changed.")
    for file in files:
        found[file] = file_sha256(Path(file))
        done += states[file][0]
        if total > _TOLD_FROM and time.monotonic() - told > _TOLD_EVERY_S:
            told = time.monotonic()
            tell(f"Read {done / 1e9:.1f} of {total / 1e9:.1f} GB.")
    return found


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


def _read(store: Path) -> dict[str, list[object]]:
    try:
        found = json.loads(store.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {name: entry for name, entry in found.items() if isinstance(entry, list)} if isinstance(found, dict) else {}


def _write(store: Path, known: dict[str, list[object]]) -> None:
    """Keep the sums; where they cannot be kept, they are worked out again."""
    with suppress(OSError):
        write_note(known, store)
