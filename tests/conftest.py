"""Tests run on several cores: files are handed out whole, the ones that take minutes first."""

import os

import pytest

# One thread per process: several processes of several threads each would fight for the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Keep the tests of a file together, and those that share the tiny run; start with the workflow's."""

    def group(item):
        return "tiny" if "tiny" in getattr(item, "fixturenames", ()) else item.nodeid.split("::")[0]

    for item in items:
        item.add_marker(pytest.mark.xdist_group(group(item)))
    items.sort(key=lambda item: ("tests/workflow" not in item.nodeid, group(item) != "tiny"))
