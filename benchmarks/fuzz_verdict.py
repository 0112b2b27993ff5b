"""How the answer of a reader to a damaged file is judged."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from fuzz_answers import Answer, Comparison, compare, examples

import dere

PACKAGE = Path(dere.__file__).parent
LONGEST_LINE, MOST_LINES = 700, 12
GOOD = ("OK_EQUAL", "OK_REFUSED", "OK_DROPPED")
BAD = ("TRACEBACK", "VAGUE", "SILENT", "LOST", "MEMORY", "TIME", "DIED", "HARNESS")
"""Another error; a sentence that names nothing; another number; values gone without a word; limits; a killed process; a
fault of the harness itself."""


class Verdict(NamedTuple):
    """One of ``GOOD`` and ``BAD``, and why."""

    word: str
    why: str


class Listener(logging.Handler):
    """Keeps the warnings."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        self.lines.append(record.getMessage())


@contextmanager
def listening() -> Iterator[Listener]:
    """Collect the warnings of the block."""
    root, listener = logging.getLogger(), Listener()
    before = root.handlers[:]
    root.handlers[:] = [listener]
    try:
        yield listener
    finally:
        root.handlers[:] = before


def raised_by_package(trace: TracebackType | None) -> bool:
    """Tell whether the innermost frame is a file of the package."""
    frames = traceback.extract_tb(trace)
    return bool(frames) and PACKAGE in Path(frames[-1].filename).parents


def of_error(error: BaseException, names: Collection[str]) -> Verdict:
    """Judge what a reader raised: a sentence of the package's own that names the file or the key, or a fault."""
    text = str(error)
    if isinstance(error, MemoryError):
        return Verdict("MEMORY", "it asked for more than its limit")
    if not isinstance(error, (ValueError, FileNotFoundError)) or not raised_by_package(error.__traceback__):
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return Verdict("TRACEBACK", f"{type(error).__name__} in {frame.name}: {' '.join(text.split())[:200]}")
    lines = text.splitlines()
    if len(lines) > MOST_LINES or max(map(len, lines), default=0) > LONGEST_LINE:
        return Verdict("VAGUE", f"{len(lines)} lines, {len(text)} characters: {' '.join(text.split())[:200]}")
    if not named(text, names):
        return Verdict("VAGUE", f"it names neither file nor key: {' '.join(text.split())[:200]}")
    return Verdict("OK_REFUSED", " ".join(text.split()))


def of_answer(
    answer: Answer,
    sound: Answer,
    repaired: Answer | None,
    warnings: Sequence[str],
    names: Collection[str],
    lacks: bool = False,
    excused: bool = False,
) -> Verdict:
    """Judge what was read.

    Parameters
    ----------
    answer, sound, repaired
        See `fuzz_answers.compare`.
    warnings
        What the undamaged file does not say.
    names
        Of which a warning must hold one to count.
    lacks
        Values may be missing without a word, because the file says plainly that it has none.
    excused
        A warning excuses another number: the reader had to choose between two.
    """
    found: Comparison = compare(answer, sound, repaired)
    said = [line for line in warnings if named(line, names)]
    why = "; ".join(examples(found))
    if found.wrong and not (excused and (said or found.lost)):
        return Verdict("SILENT", f"{why}{f'; it warned: {said[0][:200]}' if said else ''}")
    if found.lost and not said and not lacks:
        return Verdict("LOST", why)
    if said and (found.lost or found.wrong):
        return Verdict("OK_DROPPED", f"{why}: {said[0][:200]}")
    return Verdict("OK_EQUAL", why)


def named(text: str, names: Collection[str]) -> bool:
    """Tell whether a text holds one of some names."""
    return any(name in text for name in names)
