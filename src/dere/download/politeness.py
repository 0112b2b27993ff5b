"""How patiently and how politely a server is asked again."""

from __future__ import annotations

import email.utils
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

log = logging.getLogger(__name__)
Result = TypeVar("Result")
PASSING_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers that may be another next time; all other errors are final (RFC 9110, RFC 6585)."""


class DownloadError(ValueError):
    """A sentence for the user: why a file cannot be had, and what to do."""


class Passing(Exception):
    """A failure that may pass; the message says what happened."""

    def __init__(self, reason: str, retry_after: str | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


@dataclass(frozen=True)
class Politeness:
    """Waiting times (seconds) and patience."""

    attempts: int = 6
    """Attempts without any progress before giving up."""
    first_wait: float = 2.0
    """Wait before the second attempt; each further one doubles it."""
    longest_wait: float = 300.0
    """Longest wait; a server that asks for more is taken at its word, and the download stops."""
    connect_timeout: float = 20.0
    read_timeout: float = 60.0
    """Silence of the server after which a connection counts as broken."""
    progress_bytes: int = 1 << 20
    """An attempt that brought at least this much starts the count anew."""

    def wait(self, failures: int, retry_after: str | None, now: float) -> float:
        """Seconds to wait after ``failures`` attempts in a row: what the server asks for, else doubling.

        Raises
        ------
        DownloadError
            When the server asks for more than ``longest_wait``.
        """
        asked = retry_after_seconds(retry_after, now)
        if asked is None:
            return min(self.longest_wait, self.first_wait * 2 ** (failures - 1))
        if asked > self.longest_wait:
            raise DownloadError(
                f"the server asks to come back in {asked:.0f} s, at most {self.longest_wait:.0f} s are waited; call "
                "again later, it goes on where it stopped"
            )
        return max(asked, self.first_wait)


def retry_after_seconds(header: str | None, now: float) -> float | None:
    """Seconds that a Retry-After header asks for (a number or a date, RFC 9110 10.2.3); None when it says nothing."""
    if not header:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - now)
    except ValueError:
        return None


def persistently(
    attempt: Callable[[], Result],
    what: str,
    politeness: Politeness,
    done: Callable[[], int] = lambda: 0,
    sleep: Callable[[float], object] = time.sleep,
) -> Result:
    """Call ``attempt`` until it succeeds; it raises :class:`Passing` for what may pass.

    Parameters
    ----------
    attempt
        One attempt.
    what
        File or address for messages.
    politeness
        Waits and patience.
    done
        Bytes at hand; an attempt that brought enough starts the count anew, so that a large file survives many cuts.
    sleep
        Waits some seconds.

    Raises
    ------
    DownloadError
        After ``politeness.attempts`` attempts in a row without progress.
    """
    failures = 0
    while True:
        before = done()
        try:
            return attempt()
        except Passing as passing:
            failures = 1 if done() - before >= politeness.progress_bytes else failures + 1
            if failures >= politeness.attempts:
                raise DownloadError(
                    f"{what}: {passing} after {failures} attempts; call again later, it goes on where it stopped"
                ) from None
            try:
                wait = politeness.wait(failures, passing.retry_after, time.time())
            except DownloadError as error:
                raise DownloadError(f"{what}: {passing}; {error}") from None
            log.warning("%s: %s; attempt %d follows in %.0f s", what, passing, failures + 1, wait)
            sleep(wait)
