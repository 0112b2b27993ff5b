"""Arrays of a checkpoint in less room: numbers in smaller formats, texts compressed; read back in their own.

``Fitted.unseen`` is not kept: a checkpoint made so predicts, it is no start of a training.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

OWN_TYPES, COMPRESSED = "own_types", "compressed"
"""Entries of a manifest: array to the type it is read back in; arrays whose bytes are compressed."""
LARGE = 50_000
"""Arrays of more numbers are stored in half precision."""

Arrays = Mapping[str, NDArray[Any]]


def compacted(arrays: Arrays) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return arrays that need less room, and what `restored` must know of them.

    Double precision becomes single, of large arrays (`LARGE`) half where no value leaves its range; texts (bytes) are
    compressed. Whole numbers and small single-precision arrays stay.

    Parameters
    ----------
    arrays
        By name.

    Returns
    -------
    tuple
        Arrays by name; entries for the manifest.
    """
    small, types, packed = {}, {}, []
    for name, array in arrays.items():
        if array.dtype == np.uint8 and array.ndim == 1:
            small[name] = np.frombuffer(zlib.compress(array.tobytes(), 9), np.uint8)
            packed.append(name)
            continue
        small[name] = _smaller(array)
        if small[name].dtype != array.dtype:
            types[name] = str(array.dtype)
    return small, {OWN_TYPES: types, COMPRESSED: packed}


def restored(arrays: Arrays, manifest: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Return arrays in their own types, texts as they were; of a checkpoint that is not compact all as they are."""
    types, packed = manifest.get(OWN_TYPES, {}), set(manifest.get(COMPRESSED, ()))
    return {
        name: np.frombuffer(zlib.decompress(array.tobytes()), np.uint8)
        if name in packed
        else array.astype(types.get(name, array.dtype), copy=False)
        for name, array in arrays.items()
    }


def _smaller(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.kind != "f":
        return array
    limit = float(np.finfo(np.float16).max)
    if array.size > LARGE and bool((np.abs(array) < limit).all()):
        return array.astype(np.float16)
    return array.astype(np.float32) if array.dtype.itemsize > 4 else array
