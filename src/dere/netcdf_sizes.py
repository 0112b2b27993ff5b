"""Whether a NetCDF file can hold what it states: a dimension of any length costs nothing until values are written.

A reader makes room for a whole variable, and for every coordinate as soon as a file is opened.
"""

from __future__ import annotations

import math
from pathlib import Path

import netCDF4
from xarray.backends import NetCDF4DataStore

_PACKED = 1_100
"""Largest ratio of values to file that the compression of NetCDF reaches, which is 1,032."""
_SMALL = 256 << 20
_TEXT = 8


def open_written(path: Path) -> NetCDF4DataStore:
    """Open a file whose variables, one by one, are no larger than it can hold; close it, or hand it to xarray.

    It is opened through xarray, which counts the handles of a file: another one beside them, once closed, takes the
    file away from under those, and the next read ends the process.

    Raises
    ------
    OSError
        When the file cannot be opened.
    ValueError
        Names the variable, its dimensions and both sizes.
    """
    store = NetCDF4DataStore.open(path)
    try:
        require_variables_written(store.ds, path)
    except ValueError:
        store.close()
        raise
    return store


def require_variables_written(dataset: netCDF4.Dataset, path: Path) -> None:
    """Check an open file as `open_written` does."""
    held = max(_SMALL, _PACKED * path.stat().st_size)
    for name, variable in dataset.variables.items():
        size = math.prod(variable.shape) * getattr(variable.dtype, "itemsize", _TEXT)
        if size > held:
            shape = dict(zip(variable.dimensions, variable.shape, strict=True))
            raise ValueError(
                f"{path} ({path.stat().st_size} bytes) states {size} bytes of {name} ({shape}), but can hold at most "
                f"{held}; most of it was never written: make or download the file again"
            )
