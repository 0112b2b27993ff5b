"""Blocks: sizes, slices, arrays that come block by block, and rows taken from them."""

import threading

import numpy as np
import pytest
import xarray as xr

from dere.blocks import (
    BLOCK_SHARE,
    block_slices,
    computing,
    fits,
    in_blocks,
    lazy_variables,
    loaded_blocks,
    rows_per_block,
    slices,
    storage_chunks,
    take,
)


@pytest.mark.parametrize(("row", "memory"), [(1_400_000, 4_000_000_000), (10, 1_000_000), (7, 48 * 7 * 64)])
def test_a_block_is_the_largest_power_of_two_that_fits(row, memory):
    rows = rows_per_block(row, memory)
    assert rows & (rows - 1) == 0
    assert rows * row * BLOCK_SHARE <= memory < 2 * rows * row * BLOCK_SHARE


def test_a_block_has_at_least_one_row():
    assert rows_per_block(10**9, 10**6) == 1


def test_slices_cover_every_row_once():
    rows = np.concatenate([np.arange(100)[part] for part in slices(100, 32)])
    np.testing.assert_array_equal(rows, np.arange(100))
    assert slices(0, 5) == []


def test_what_fits():
    assert fits(10**12, None)
    assert fits(100, 1600) and not fits(101, 1600)


def make(cells=21, months=6):
    rng = np.random.default_rng(0)
    return xr.Dataset(
        {
            "state": (("cell", "time", "target"), rng.normal(size=(cells, months, 5)).astype("f4")),
            "soil": (("cell", "layer"), rng.normal(size=(cells, 2))),
            "level": ("layer", [1.0, 2.0]),
        },
        coords={"cell": 3 * np.arange(cells), "lat": ("cell", np.linspace(-50, 50, cells)), "time": np.arange(months)},
        attrs={"title": "synthetic"},
    )


def chunked(dataset, rows=8):
    return dataset.assign(state=dataset["state"].chunk(cell=rows))


def test_lazy_variables_read_a_block_once_for_all_variables():
    source, calls = make(), []

    def read(block):
        calls.append(block)
        part = source.isel(cell=block)
        return {"state": part["state"].values, "soil": part["soil"].values}

    templates = {name: source[name].variable for name in ("state", "soil")}
    lazy = xr.Dataset(lazy_variables(read, templates, 21, 8), source.coords, source.attrs)
    assert not calls
    assert lazy["state"].chunks[0] == (8, 8, 5) and lazy["state"].dtype == np.float32
    with computing():
        loaded = lazy.compute()
    assert sorted(calls, key=lambda block: block.start) == slices(21, 8)
    xr.testing.assert_identical(loaded, source.drop_vars("level"))


def test_block_slices():
    dataset = make()
    assert block_slices(dataset) == [slice(0, 21)]
    assert block_slices(chunked(dataset)) == slices(21, 8)


def test_loaded_blocks_leave_out_what_nobody_wants():
    dataset = make()
    assert [part is dataset for _, part in loaded_blocks(dataset)] == [True]
    blocks = dict((block.start, part) for block, part in loaded_blocks(chunked(dataset)))
    xr.testing.assert_identical(blocks[16], dataset.isel(cell=slice(16, 21)))
    wanted = np.arange(21) >= 17
    assert [block.start for block, _ in loaded_blocks(chunked(dataset), wanted)] == [16]


def test_take_gives_rows_in_any_order_from_memory_and_from_blocks():
    dataset, rows = make(), np.array([20, 3, 3, 0])
    expected = dataset.isel(cell=rows)
    xr.testing.assert_identical(take(dataset, rows), expected)
    taken = take(chunked(dataset), rows)
    assert not taken.chunks
    xr.testing.assert_identical(taken, expected)


def test_take_reads_nothing_but_the_rows(tmp_path):
    dataset = make(cells=512, months=2000)
    dataset.to_netcdf(tmp_path / "a.nc", encoding={"state": {"_FillValue": None}})
    with xr.open_dataset(tmp_path / "a.nc", chunks={"cell": 256}) as opened:
        part = opened[["state"]]
        take(part, np.array([0]))
        before = bytes_read()
        take(part, np.array([5, 300]))
        assert bytes_read() - before < 4 * dataset["state"][0].nbytes


def bytes_read():
    with open("/proc/self/io") as stream:
        return int(stream.readline().split()[1])


def test_in_blocks_loads_what_is_small(tmp_path):
    dataset = make(cells=64, months=100)
    dataset.to_netcdf(tmp_path / "a.nc")
    with xr.open_dataset(tmp_path / "a.nc") as opened:
        cut = in_blocks(opened, memory=BLOCK_SHARE * 16_000)
        assert cut["state"].chunks[0] == (8,) * 8
        assert cut["soil"].chunks is None
        xr.testing.assert_identical(cut.compute(), dataset)


def test_stored_chunks_have_the_edges_of_the_blocks():
    state = chunked(make(cells=64), 16)["state"].variable
    assert storage_chunks(state) == (16, 6, 5)
    assert storage_chunks(state, target=5 * 120) == (4, 6, 5)
    assert storage_chunks(state, target=1) == (1, 6, 5)
    assert storage_chunks(make()["state"].variable) is None
    uneven = make(cells=64)["state"].variable.chunk(cell=(10, 30, 24))
    assert storage_chunks(uneven) is None


@pytest.mark.parametrize("cut", [lambda d: in_blocks(d, BLOCK_SHARE * 240), lambda d: lazy_from(d)])
def test_blocks_are_never_read_by_several_threads(cut):
    """HDF5 is not made for threads: dask must leave them alone, also where nobody asked for one block at a time."""
    import dask

    with dask.config.set(scheduler="threads"):
        lazy = cut(make())
        seen = set()

        def watch(block):
            seen.add(threading.get_ident())
            return block

        watched = lazy["state"].data.map_blocks(watch, dtype="f4", meta=np.empty((0, 0, 0), "f4"))
        watched.compute()
    assert lazy["state"].chunks is not None and seen == {threading.get_ident()}


def lazy_from(source):
    def read(block):
        return {"state": source["state"].values[block]}

    variables = lazy_variables(read, {"state": source["state"].variable}, 21, 8)
    return xr.Dataset(variables, source.coords)
