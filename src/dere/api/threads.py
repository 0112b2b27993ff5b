"""The threads of a job, in a process that has more: sums over threads are rounded differently."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from threadpoolctl import threadpool_limits


@contextmanager
def threads(count: int, *, torch: bool = True) -> Iterator[None]:
    """Compute with as many threads as the rule gives its job; as many as before come back afterwards.

    Parameters
    ----------
    count
        Threads of torch and of the libraries behind numpy.
    torch
        Load torch before, because threads of what is loaded later are not counted.
    """
    if torch:
        import_module("torch")
    loaded = sys.modules.get("torch")
    before = loaded.get_num_threads() if loaded else count
    try:
        with threadpool_limits(limits=count):
            if loaded:
                loaded.set_num_threads(count)
            yield
    finally:
        if loaded:
            loaded.set_num_threads(before)
