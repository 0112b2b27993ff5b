"""Compiled modules that Python would take for those of another text of the source.

Python tells by the size of a source file and its date in whole seconds. A module that was unpacked, copied with its
date or checked out within a second can have both in common with its forerunner, and what is run is then the forerunner.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path


def drop_outdated(sources: Iterable[Path]) -> None:
    """Remove what was compiled before its source file was last written or got another date; Python compiles it again.

    Parameters
    ----------
    sources
        Source files; those that were not compiled, or may not be removed, are left alone.
    """
    for source in sources:
        compiled = Path(cache_from_source(str(source)))
        with suppress(OSError):
            if compiled.stat().st_ctime_ns <= source.stat().st_ctime_ns:
                compiled.unlink()
