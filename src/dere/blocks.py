"""Blocks along one axis: how many rows fit, which slices they make, and arrays that come into being block by block.

Whatever is too large for memory is cut along ``cell`` and goes through dask one block after the other. The block size
follows from the memory of the job and changes no value: a result is the same however it was cut. dask is imported
where it is used, because most jobs hold all they need in memory and should not wait for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager

import numpy as np
import xarray as xr
from numpy.typing import NDArray

WHOLE_SHARE = 16
"""What needs more than this part of the memory is cut up: four stands made from a mixture, and a copy, are eight."""
BLOCK_SHARE = 48
"""Part of the memory that one block may take before copies."""


def fits(size: int, memory: int | None) -> bool:
    """Whether an array or dataset of ``size`` bytes may be held whole by a job of ``memory`` bytes (None = always)."""
    return memory is None or size <= memory // WHOLE_SHARE


def rows_per_block(row_size: int, memory: int) -> int:
    """Rows of one block: the largest power of two whose bytes stay within the share of the memory, at least 1.

    A power of two, so that blocks of different arrays, and of files and arrays, have common edges.

    Parameters
    ----------
    row_size
        Bytes of one row.
    memory
        Bytes that the whole job may use.
    """
    return 1 << max(0, math.floor(math.log2(max(1.0, memory / BLOCK_SHARE / max(1, row_size)))))


def slices(count: int, size: int) -> list[slice]:
    """Slices of ``size`` rows that cover ``count`` rows; the last one may be shorter."""
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


def block_slices(dataset: xr.Dataset | xr.DataArray, dim: str = "cell") -> list[slice]:
    """Slices along ``dim`` in which a dataset is best worked on: its dask blocks, or one slice when it is in memory."""
    chunks = dataset.chunksizes.get(dim)
    if chunks is None:
        return [slice(0, dataset.sizes[dim])]
    ends = np.cumsum(chunks).tolist()
    return [slice(end - length, end) for end, length in zip(ends, chunks, strict=True)]


def lazy_variables(
    read: Callable[[slice], Mapping[str, NDArray]],
    templates: Mapping[str, xr.Variable],
    count: int,
    size: int,
) -> dict[str, xr.Variable]:
    """Variables whose blocks are made by one function, which is called once for all variables of a block.

    Parameters
    ----------
    read
        Gives the values of every variable for a slice of the first axis.
    templates
        Dims, attributes, dtype and (apart from the first axis) shape of each variable; any number of rows.
    count, size
        Rows in all, and rows of one block.

    Returns
    -------
    dict
        Variables over dask arrays. Those written together are read together. As after ``in_blocks``, dask works in
        this thread from then on.
    """
    import dask
    import dask.array as da

    dask.config.set(scheduler="synchronous")
    parts = [(block, dask.delayed(read, pure=False)(block)) for block in slices(count, size)]
    variables = {}
    for name, template in templates.items():
        rest = template.shape[1:]
        arrays = [
            da.from_delayed(values[name], (block.stop - block.start, *rest), template.dtype) for block, values in parts
        ]
        variables[name] = xr.Variable(template.dims, da.concatenate(arrays), template.attrs)
    return variables


def computing() -> AbstractContextManager:
    """Context in which dask works on one block at a time, in this thread: memory stays that of one block."""
    import dask

    return dask.config.set(scheduler="synchronous")


def in_blocks(dataset: xr.Dataset, memory: int, dim: str = "cell") -> xr.Dataset:
    """Cut a dataset that lies on disk into dask blocks along ``dim``.

    Coordinates, and data variables that together are smaller than a block, are loaded. From then on dask works in this
    thread only, here and in what follows: the libraries below NetCDF are not made for several.
    """
    import dask

    dask.config.set(scheduler="synchronous")
    dataset = dataset.assign_coords({name: variable.load() for name, variable in dataset.coords.items()})
    loaded, blocks, room = {}, [], memory // BLOCK_SHARE
    for name in sorted(dataset.data_vars, key=lambda name: dataset[name].nbytes):
        room -= dataset[name].nbytes
        if room >= 0:
            loaded[name] = dataset[name].load()
        elif dim in dataset[name].dims:
            blocks.append(name)
    row = sum(dataset[name].nbytes for name in blocks) // max(1, dataset.sizes[dim])
    cut = {name: dataset[name].chunk({dim: rows_per_block(row, memory)}) for name in blocks}
    return dataset.assign(loaded | cut)


def loaded_blocks(
    dataset: xr.Dataset, wanted: NDArray | None = None, dim: str = "cell"
) -> Iterator[tuple[slice, xr.Dataset]]:
    """Every block of a dataset that holds a wanted row (default: all), loaded; a dataset in memory is one block."""
    parts = block_slices(dataset, dim)
    if len(parts) == 1 and not dataset.chunks:
        yield parts[0], dataset
        return
    with computing():
        for block in parts:
            if wanted is not None and not wanted[block].any():
                continue
            yield block, dataset.isel({dim: block}).compute()


def take(dataset: xr.Dataset, rows: NDArray, dim: str = "cell") -> xr.Dataset:
    """Some rows of a dataset, in memory and in the order given; of dask arrays nothing but these rows is read."""
    if not dataset.chunks:
        return dataset.isel({dim: rows})
    unique, place = np.unique(rows, return_inverse=True)
    with computing():
        # one whole number at a time reaches the file as it is; a list would read every block that holds one of its rows
        parts = [dataset.isel({dim: int(row)}).compute() for row in unique]
    taken = {
        name: ((dim, *parts[0][name].dims), np.stack([part[name].values for part in parts])[place], variable.attrs)
        for name, variable in dataset.data_vars.items()
        if dim in variable.dims
    }
    return dataset.drop_vars(taken).isel({dim: rows}).assign(taken)


def storage_chunks(variable: xr.Variable, target: int = 1 << 20) -> tuple[int, ...] | None:
    """Chunk shape for storing a dask array: whole rows, about ``target`` bytes, with the edges of the blocks.

    None for arrays in memory and for blocks without a common size: there the default of the file serves.
    """
    blocks = variable.chunks
    if blocks is None or 0 in variable.shape:
        return None
    if any(len(set(lengths[:-1])) > 1 or lengths[-1] > lengths[0] for lengths in blocks):
        return None
    row = math.prod(lengths[0] for lengths in blocks[1:]) * variable.dtype.itemsize
    rows = blocks[0][0]
    fitting = min(rows, max(1, target // row))
    # a divisor of the block, so that no stored chunk is written twice
    first = max(divisor for divisor in range(1, fitting + 1) if rows % divisor == 0)
    return (first, *(lengths[0] for lengths in blocks[1:]))
