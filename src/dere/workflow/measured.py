"""What a job cost, measured by the job itself when it ends: whoever samples it from outside misses its last part."""

from __future__ import annotations

import os
import re
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from dere.io import write_table

_LOADED = time.perf_counter()
_STATUS, _STAT = Path("/proc/self/status"), Path("/proc/self/stat")
_START = 19
"""Position of the start of a process, in ticks since boot, behind its name in ``/proc/self/stat`` (proc(5))."""
MIB = 1 << 20


@contextmanager
def measured(output: str | Path) -> Iterator[None]:
    """Write what this process and its ended children have cost when the block ends without an error.

    Parameters
    ----------
    output
        Table of one row with the columns of `cost`.
    """
    yield
    write_table(pd.DataFrame([cost()]), Path(output))


def cost() -> dict[str, float]:
    """Return what this process has cost since it began.

    Returns
    -------
    dict
        ``seconds``, on the clock; ``cpu_seconds``, with those of all children that have ended and been waited for;
        ``max_rss_mb`` (MiB), the largest resident memory of any one of them.
    """
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = sum(usage.ru_utime + usage.ru_stime for usage in (own, children))
    peak = max(_own_peak(own.ru_maxrss), children.ru_maxrss * _unit())
    return {"seconds": age(), "cpu_seconds": cpu, "max_rss_mb": peak / MIB}


def _unit() -> int:
    """Bytes in a unit of ``ru_maxrss``: macOS counts bytes, Linux KiB."""
    return 1 if sys.platform == "darwin" else 1024


def _own_peak(reported: int) -> int:
    """Largest resident memory of this process in bytes.

    Linux passes ``ru_maxrss`` on from the process that started this one; the high-water mark is of this one alone.
    """
    if _STATUS.exists() and (mark := re.search(r"^VmHWM:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)):
        return int(mark[1]) * 1024
    return reported * _unit()


def age() -> float:
    """Return the seconds since this process began; where the system does not say, since this module was loaded."""
    if sys.platform == "linux" and _STAT.exists():
        # the name may hold spaces and brackets
        ticks = int(_STAT.read_text().rpartition(")")[2].split()[_START])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return time.perf_counter() - _LOADED
