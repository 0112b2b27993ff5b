"""Files written and read in blocks: the same content, nothing half-written, readers that do not collide."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
import xarray as xr

from dere.blocks import lazy_variables
from dere.io import read_netcdf, write_atomically, write_netcdf


def make(cells=50, months=24):
    rng = np.random.default_rng(0)
    return xr.Dataset(
        {
            "state": (("cell", "stand", "time"), rng.normal(size=(cells, 2, months)).astype("f4"), {"units": "1"}),
            "initial": (("cell", "stand"), rng.normal(size=(cells, 2)).astype("f4")),
        },
        coords={
            "cell": np.arange(cells),
            "lat": ("cell", np.linspace(-50, 50, cells)),
            "stand": ["BL", "mixture"],
            "time": np.datetime64("2001-01-16", "ns") + np.arange(months) * np.timedelta64(30, "D"),
        },
        attrs={"title": "synthetic"},
    )


def lazy(dataset, rows, read=None):
    def values(block):
        return {name: dataset[name].values[block] for name in ("state", "initial")}

    templates = {name: dataset[name].variable for name in ("state", "initial")}
    count = dataset.sizes["cell"]
    return xr.Dataset(lazy_variables(read or values, templates, count, rows), dataset.coords, dataset.attrs)


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("rows", [1, 16, 64])
def test_blocks_give_the_same_file_as_the_whole(tmp_path, compress, rows):
    dataset = make()
    write_netcdf(dataset, tmp_path / "whole.nc", compress)
    write_netcdf(lazy(dataset, rows), tmp_path / "blocks.nc", compress)
    whole, blocks = (read_netcdf(tmp_path / f"{name}.nc") for name in ("whole", "blocks"))
    xr.testing.assert_identical(blocks, whole)
    assert blocks["state"].dtype == np.float32
    for name in ("state", "initial"):
        assert blocks[name].encoding.get("zlib") == whole[name].encoding.get("zlib")
    np.testing.assert_array_equal(blocks["state"], dataset["state"])


def test_stored_chunks_end_where_blocks_end(tmp_path):
    write_netcdf(lazy(make(), 16), tmp_path / "a.nc")
    assert read_netcdf(tmp_path / "a.nc", load=False)["state"].encoding["chunksizes"] == (16, 2, 24)


def test_only_what_is_too_large_stays_on_disk(tmp_path):
    path = write_netcdf(make(), tmp_path / "a.nc")
    assert not read_netcdf(path, memory=10**9).chunks
    opened = read_netcdf(path, memory=48 * 192 * 8)
    assert opened["state"].chunks[0] == (8,) * 6 + (2,)
    xr.testing.assert_identical(opened.compute(), read_netcdf(path))
    opened.close()


def test_an_error_in_a_block_leaves_no_file(tmp_path):
    dataset = make()

    def read(block):
        if block.start == 32:
            raise ValueError("cell 33 is broken")
        return {name: dataset[name].values[block] for name in ("state", "initial")}

    with pytest.raises(ValueError, match="cell 33 is broken"):
        write_netcdf(lazy(dataset, 16, read), tmp_path / "a.nc")
    assert list(tmp_path.iterdir()) == []


def environment():
    """That of this process, with the folders from which it imports."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(os.path.abspath(folder) for folder in sys.path if folder)}


KILLED = """
    import os, time
    from pathlib import Path
    from dere.io import write_atomically

    def write(path):
        path.write_bytes(b"half")
        print("writing", flush=True)
        time.sleep(60)

    write_atomically(Path("a.nc"), write)
"""


def test_a_killed_writer_leaves_the_old_file_and_its_rest_is_removed(tmp_path):
    path = tmp_path / "a.nc"
    path.write_bytes(b"old")
    script = [sys.executable, "-c", textwrap.dedent(KILLED)]
    writer = subprocess.Popen(script, cwd=tmp_path, stdout=subprocess.PIPE, text=True, env=environment())
    assert writer.stdout.readline() == "writing\n"
    alive = tmp_path / f".{writer.pid}.partial.a.nc"
    other = tmp_path / ".1.partial.b.nc"
    other.write_bytes(b"of another file")
    write_atomically(path, lambda temporary: temporary.write_bytes(b"new"))
    assert alive.exists(), "what a living process writes must stay"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert path.read_bytes() == b"new" and alive.exists()
    write_atomically(path, lambda temporary: temporary.write_bytes(b"newer"))
    assert path.read_bytes() == b"newer" and not alive.exists() and other.exists()


READER = """
    import sys, time
    import numpy as np
    from pathlib import Path
    from dere.io import read_netcdf

    print("ready", flush=True)
    deadline = time.monotonic() + 30
    reads, seen = 0, set()
    while (reads < 10 or len(seen) < 3) and time.monotonic() < deadline:
        for memory in (None, 48 * 192):
            dataset = read_netcdf(Path("a.nc"), memory=memory)
            values = dataset["state"].values
            dataset.close()
            assert (values == values.flat[0]).all(), "a mixture of two files"
            seen.add(float(values.flat[0]))
            reads += 1
    print(reads, len(seen))
"""


def test_readers_in_parallel_see_whole_files_while_one_is_replaced(tmp_path):
    dataset = make(cells=16)
    version = 0

    def replace():
        dataset["state"].values[:] = version
        write_netcdf(lazy(dataset, 4), tmp_path / "a.nc")

    replace()
    script = [sys.executable, "-c", textwrap.dedent(READER)]
    readers = [
        subprocess.Popen(
            script, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for reader in readers:
        assert reader.stdout.readline() == "ready\n"
    while any(reader.poll() is None for reader in readers):
        version += 1
        replace()
        time.sleep(0.02)
    for reader in readers:
        out, error = reader.communicate()
        assert reader.returncode == 0, error
        reads, seen = map(int, out.split())
        assert reads >= 10 and seen >= 3


def test_files_are_read_without_insisting_on_locks():
    assert "HDF5_USE_FILE_LOCKING" in os.environ
