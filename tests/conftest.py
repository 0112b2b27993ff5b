"""Tests run on several cores: files are handed out whole, those that run the whole workflow first."""

import os

# One thread per process: several processes of several threads each would fight for the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")


def pytest_collection_modifyitems(items):
    """Start with the tests that take minutes, so that the others fill the rest of the time."""
    items.sort(key=lambda item: "tests/workflow" not in item.nodeid)
