"""Arrays as text of a page: rounded to 16 bits, compressed, in the letters of base64."""

from __future__ import annotations

import base64
import gzip
from typing import Any

import numpy as np

MISSING = -32768
"""What stands for NaN."""
_MOST = 32767


def pack(values: np.ndarray) -> dict[str, Any]:
    """Return an array as shape, ``middle``, ``step`` and text; value = middle + step * number.

    Numbers are 16-bit integers, lowest byte first, compressed with gzip. Rounding moves a value by half a step at
    most, which is a 131,000th of the range.

    Parameters
    ----------
    values
        Any shape; NaN and infinite values are missing.
    """
    array = np.asarray(values, dtype=float)
    known = np.isfinite(array)
    low, high = (float(array[known].min()), float(array[known].max())) if known.any() else (0.0, 0.0)
    middle = (low + high) / 2
    step = (high - low) / (2 * _MOST) or 1.0
    numbers = np.full(array.shape, MISSING, dtype="<i2")
    numbers[known] = np.rint((array[known] - middle) / step)
    # a fixed time, so that the same values are the same text
    text = base64.b64encode(gzip.compress(numbers.tobytes(), compresslevel=6, mtime=0)).decode()
    return {"shape": list(array.shape), "middle": middle, "step": step, "data": text}


def unpack(packed: dict[str, Any]) -> np.ndarray:
    """Return the array of `pack`, as the page reads it; missing values are NaN."""
    numbers = np.frombuffer(gzip.decompress(base64.b64decode(packed["data"])), dtype="<i2").reshape(packed["shape"])
    return np.where(numbers == MISSING, np.nan, packed["middle"] + packed["step"] * numbers)
