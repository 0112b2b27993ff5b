"""Opening NetCDF files that can hold what they state: a dimension of any length costs nothing until values are written.

A reader makes room for a whole variable, and for every coordinate as soon as a file is opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import xarray as xr

_PACKED = 1_100
"""Largest ratio of values to file; the compression of NetCDF reaches 1,032."""
_SMALL = 256 << 20


class NotHeld(ValueError):
    """A file that states more than it can hold; told apart from what libraries raise on damage."""


def open_held(path: Path, **options: Any) -> xr.Dataset:
    """Open a file as xarray does, once its sizes are known; ``options`` are those of ``xarray.open_dataset``.

    Raises
    ------
    NotHeld
        When a variable is larger than the file can hold.
    OSError, RuntimeError
        When the file is truncated or no NetCDF.
    """
    # an index would hold the whole coordinate
    opened = xr.open_dataset(path, engine="netcdf4", create_default_indexes=False, **options)
    try:
        require_held(path, ((str(name), v.sizes, v.nbytes) for name, v in opened.variables.items()))
    except NotHeld:
        opened.close()
        raise
    dataset = opened
    for name in opened.dims:
        if name in opened.coords and opened[name].dims == (name,):
            dataset = dataset.set_xindex(str(name))
    if dataset is not opened:
        dataset.set_close(opened.close)
    return dataset


def require_held(path: Path, variables: Iterable[tuple[str, Mapping[Any, int], int]]) -> None:
    """Check that variables, given by name, dimensions and bytes, are one by one no larger than a file can hold.

    Raises
    ------
    NotHeld
        Names the variable, its dimensions and both sizes.
    """
    stored = path.stat().st_size
    held = max(_SMALL, _PACKED * stored)
    for name, sizes, size in variables:
        if size > held:
            raise NotHeld(
                f"{path} ({stored} bytes) states {size} bytes of {name} ({dict(sizes)}), but can hold at most {held}; "
                "most of it was never written: make or download the file again"
            )
