"""Memory that a training frees stays with the process: its next step asks for as much again."""

from __future__ import annotations

import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Options of ``mallopt`` (glibc, malloc.h)."""
LARGEST_BLOCK = 2**25
"""Bytes; glibc takes no larger one. Larger blocks are given back at once."""
KEPT = 2**28
"""Free bytes at the end of the heap that are not given back."""


def keep_freed_memory() -> bool:
    """Let the C library keep what is freed, where it is glibc's; whether it does.

    Tensors of several networks are so large that each is otherwise a mapping of its own, whose pages the system clears
    one by one: a sixth of the time of a step of eight small networks.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is None:
        return False
    return bool(mallopt(MMAP_THRESHOLD, LARGEST_BLOCK)) and bool(mallopt(TRIM_THRESHOLD, KEPT))
