"""Files over cells that are made block by block: what a kill left behind is not made again.

One engine for maps of a run, for fields of one's own and for the public files: a block of cells is read, worked on and
written, and the whole is put together from the files of its blocks, so that memory is that of a block. How many cells a
block has is no setting, because networks round a little differently in batches of another size.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.blocks import lazy_variables, slices
from dere.io import content_hash, read_netcdf, write_netcdf

log = logging.getLogger(__name__)

BLOCK = 2000
"""Cells that are worked on at a time."""
VALUES = 1 << 24
"""Values of one variable of a map that are held at a time."""
YEAR = 12


def cell_blocks(cells: int) -> list[slice]:
    """Slices of `BLOCK` cells."""
    return slices(cells, BLOCK)


def month_slices(months: int, points: int) -> list[slice]:
    """Slices of the months of a grid of ``points``: as many as `VALUES` allow, whole years where there is room for one.

    Examples
    --------
    >>> month_slices(100, 1 << 18)
    [slice(0, 60, None), slice(60, 100, None)]
    """
    size = max(1, VALUES // max(1, points))
    return slices(months, max(size // YEAR * YEAR, min(size, YEAR)))


def part_of(datasets: Mapping[str, xr.Dataset], rows: slice) -> dict[str, xr.Dataset]:
    """Some cells of datasets that lie on disk, in memory."""
    return {name: dataset.isel(cell=rows).load() for name, dataset in datasets.items()}


def joined(parts: Iterable[xr.Dataset]) -> xr.Dataset:
    """Blocks beside each other; what has no cells, and the attributes, are those of the first."""
    found = list(parts)
    if len(found) == 1:
        return found[0]
    return xr.concat(found, "cell", data_vars="minimal", coords="minimal", compat="override", combine_attrs="override")


def some_months(paths: Sequence[Path], rows: slice | NDArray[np.int64]) -> xr.Dataset:
    """Some months of the files of all blocks, in memory."""

    def read() -> Iterator[xr.Dataset]:
        for path in paths:
            with read_netcdf(path, load=False) as file:
                yield file.isel(time=rows).load()

    return joined(read())


def state_of(files: Iterable[Path]) -> list[tuple[str, int, int, int]]:
    """Size and times of files, for an identity: quick for files of any size, and other where a file was written."""
    return [(str(path), (s := path.stat()).st_size, s.st_mtime_ns, s.st_ctime_ns) for path in files]


def write_in_blocks(output: Path, cells: int, make: Callable[[slice], xr.Dataset], identity: object) -> Path:
    """Write a file over cells, of which one block at a time is in memory.

    A file of one block is written at once. Of several blocks each is first kept in a file of its own, in a hidden
    folder beside the output; one that is there already, of the same identity, is not made again.

    Parameters
    ----------
    output
        File to write.
    cells
        Number of cells.
    make
        Gives the dataset of a block, numbers over ``cell`` first.
    identity
        All that decides what the file holds, as `dere.io.content_hash` takes it.
    """
    blocks = cell_blocks(cells)
    if len(blocks) == 1:
        return write_netcdf(make(blocks[0]), output)
    folder = _kept(output, content_hash([identity, cells, BLOCK]))
    paths = []
    for rows in blocks:
        path = folder / f"{rows.start}.nc"
        if path.exists():
            log.info("cells %d to %d of %d are there from an earlier start", rows.start, rows.stop - 1, cells)
        else:
            write_netcdf(make(rows), path, compress=False)
            log.info("cells %d to %d of %d are made", rows.start, rows.stop - 1, cells)
        paths.append(path)
    write_netcdf(_on_disk(paths, cells), output)
    shutil.rmtree(folder)
    return output


def _kept(output: Path, key: str) -> Path:
    """Folder of the blocks of a file; those of another identity are removed."""
    folder = output.parent / f".{output.stem}.blocks.{key}"
    for other in output.parent.glob(f".{output.stem}.blocks.*"):
        if other != folder:
            shutil.rmtree(other)
    return folder


def _on_disk(paths: Sequence[Path], cells: int) -> xr.Dataset:
    """The files of all blocks as one dataset, of which numbers over cells are read when they are written."""
    about = read_netcdf(paths[0])
    long = {
        str(name): one.variable
        for name, one in about.data_vars.items()
        if one.dims[:1] == ("cell",) and one.dtype.kind in "fiu"
    }

    def values(rows: slice) -> dict[str, NDArray]:
        with read_netcdf(paths[rows.start // BLOCK], load=False) as file:
            return {name: file[name].values for name in long}

    def short(path: Path) -> xr.Dataset:
        with read_netcdf(path, load=False) as file:
            return file.drop_vars(long).load()

    whole = joined(map(short, paths)).assign(lazy_variables(values, long, cells, BLOCK)).drop_encoding()
    return whole[list(about.data_vars)].assign_attrs(about.attrs)
