"""What a store may hold before any of it is read: files that are files, and arrays that memory holds."""

from __future__ import annotations

import math
from pathlib import Path

from dere.regular_file import files_below, require_regular

_LARGEST_FILE = 1 << 28
# 57 years of half hours
_MOST_VALUES = 1_000_000


def require_files(store: Path) -> None:
    """Check that what lies in a store are regular files, not pipes or devices, and not larger than any chunk.

    Raises
    ------
    ValueError
        Names the file.
    """
    for file in files_below(store):
        require_regular(file, "download the store again", _LARGEST_FILE)


def require_held(shape: tuple[int, ...], chunks: tuple[int, ...], what: str) -> None:
    """Check the shape of an array and of its chunks; of arrays by site and time one site is read at a time.

    Raises
    ------
    ValueError
        Names both shapes.
    """
    values = math.prod(shape[1:] if len(shape) > 1 else shape)
    if max(values, math.prod(chunks)) > _MOST_VALUES:
        raise ValueError(
            f"{what} has shape {shape} in chunks of {chunks}, but at most {_MOST_VALUES} values are read at once; "
            "download the store again"
        )
