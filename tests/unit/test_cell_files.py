"""Files over cells that are made block by block: the same as at once, and gone on with after a kill."""

import multiprocessing
import os
import signal

import numpy as np
import pytest
import xarray as xr

from dere import cell_files
from dere.cell_files import joined, state_of, write_in_blocks
from dere.io import read_netcdf, write_netcdf

CELLS = 23


def dataset(rows=slice(0, CELLS)):
    """Numbers, texts and an axis of its own over some cells."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(CELLS, 24, 3))
    values[3] = np.nan
    whole = xr.Dataset(
        {
            "prediction": (("cell", "time", "flux"), values, {"units": "gC m-2 d-1"}),
            "nearest": (("rank", "cell"), rng.integers(9, size=(2, CELLS))),
            "class": ("cell", np.array(list("abcdefghijklmnopqrstuvw"), object)),
            "index": ("cell", rng.random(CELLS), {"long_name": "index"}),
            "learned": ("tower", np.arange(4.0)),
        },
        coords={
            "cell": 7 * np.arange(CELLS),
            "time": np.arange("2001-01", "2003-01", dtype="datetime64[M]").astype("datetime64[ns]"),
            "flux": ["gpp", "reco", "nee"],
        },
        attrs={"method": "dere", "fold": 0},
    )
    return whole.isel(cell=rows)


@pytest.fixture(autouse=True)
def five(monkeypatch):
    monkeypatch.setattr(cell_files, "BLOCK", 5)


def test_a_file_of_several_blocks_is_that_of_one(tmp_path, monkeypatch):
    write_in_blocks(tmp_path / "parts.nc", CELLS, dataset, "a")
    monkeypatch.setattr(cell_files, "BLOCK", 100)
    write_in_blocks(tmp_path / "whole.nc", CELLS, dataset, "a")
    write_netcdf(dataset(), tmp_path / "once.nc")
    assert (tmp_path / "whole.nc").read_bytes() == (tmp_path / "once.nc").read_bytes()
    parts, whole = (read_netcdf(tmp_path / f"{name}.nc") for name in ("parts", "whole"))
    xr.testing.assert_identical(parts, whole)
    assert list(parts.variables) == list(whole.variables) and parts["prediction"].encoding["zlib"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_blocks_beside_each_other_are_the_whole():
    xr.testing.assert_identical(joined(dataset(slice(n, n + 5)) for n in range(0, CELLS, 5)), dataset())


def killed(path, identity):
    """Make blocks until the third kills the process."""

    def make(rows):
        if rows.start == 10:
            os.kill(os.getpid(), signal.SIGKILL)
        return dataset(rows)

    cell_files.BLOCK = 5
    write_in_blocks(path, CELLS, make, identity)


@pytest.mark.parametrize(("identity", "made"), [("a", [10, 15, 20]), ("b", [0, 5, 10, 15, 20])])
def test_what_a_killed_process_made_is_not_made_again_if_it_is_the_same(tmp_path, identity, made):
    path = tmp_path / "cells.nc"
    process = multiprocessing.get_context("spawn").Process(target=killed, args=(path, "a"))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL and not path.exists()
    found = []

    def make(rows):
        found.append(rows.start)
        return dataset(rows)

    write_in_blocks(path, CELLS, make, identity)
    assert found == made
    xr.testing.assert_identical(read_netcdf(path), dataset().load())
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_written_again_has_another_state(tmp_path):
    path = tmp_path / "file"
    path.write_text("one")
    first = state_of([path])
    assert state_of([path]) == first
    path.write_text("two")
    os.utime(path, ns=(1, 1))
    assert state_of([path]) != first
