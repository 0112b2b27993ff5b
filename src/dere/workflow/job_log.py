"""The log of a job: how its lines are written, and what the run says of it on the screen."""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path
from typing import NamedTuple

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
RULE = "dere.rule"
"""Logger of the job itself: why it failed."""
SCREEN = "dere.screen"
"""Logger of lines that the run shows on the screen when the job has ended."""
FAULT = "the rule failed"
"""First line of a record that holds a traceback: a fault of the program."""
INTERRUPTED = "interrupted"
_RECORD = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ([A-Z]+) ([\w.]+): ", re.M)


class Record(NamedTuple):
    """A record of a log; its message may have several lines."""

    level: str
    logger: str
    message: str


class LogFile(logging.FileHandler):
    """A log that says errors on the console which it cannot hold: a full disk is no reason to be silent."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Write an error to the console, in place of a traceback of the logging itself."""
        if record.levelno >= logging.ERROR:
            sys.stderr.write(f"{record.getMessage()}\n")

    def close(self) -> None:
        """Close the file, whatever of it could not be written."""
        try:
            super().close()
        except OSError:
            # said by handleError already
            self.stream = None  # type: ignore[assignment]


def records(text: str) -> list[Record]:
    """Return the records of a log's text."""
    starts = list(_RECORD.finditer(text))
    ends = [*(match.start() for match in starts[1:]), len(text)]
    return [Record(m[1], m[2], text[m.end() : end].strip()) for m, end in zip(starts, ends, strict=False)]


def reason(text: str) -> str | None:
    """Return the sentence in which a job says why it failed; None where it does not say so.

    Of a fault of the program it is the last line of the traceback, with what to do.
    """
    failures = [record.message for record in records(text) if record.level == "ERROR" and record.logger == RULE]
    if not failures:
        return None
    last = failures[-1]
    if not last.startswith(f"{FAULT}\n"):
        return last
    return (
        f"a fault of the program, not of the input: {last.splitlines()[-1]}; its traceback is in the log, please "
        "report it with that"
    )


def was_interrupted(text: str) -> bool:
    """Tell whether a job was ended by Ctrl-C."""
    return any(record.logger == RULE and record.message == INTERRUPTED for record in records(text))


def shown(text: str, log: Path) -> list[str]:
    """Return the lines of a job that has ended which the screen shows: its own ones, and one about its warnings."""
    found = records(text)
    lines = [record.message for record in found if record.logger == SCREEN]
    warnings = [
        r.message for r in found if r.level == "WARNING" and r.logger.startswith("dere.") and r.logger != SCREEN
    ]
    if len(warnings) == 1:
        lines.append(warnings[0])
    elif warnings:
        lines.append(f"{warnings[0]} (and {len(warnings) - 1} more warnings in {log})")
    return lines


def read(log: Path) -> str:
    """Return the text of a log; empty where there is none."""
    try:
        return log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def job_of(log: Path) -> str:
    """Return the rule and its wildcards from a log file's path."""
    parts = log.with_suffix("").parts
    return "/".join(parts[parts.index("logs") + 1 :] if "logs" in parts else parts[-1:])
