"""Texts among the arrays of a fitted stage."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def encoded(texts: list[str]) -> NDArray[np.uint8]:
    """Texts as bytes, one line each."""
    return np.frombuffer("\n".join(texts).encode(), np.uint8)


def decoded(array: NDArray[np.uint8]) -> list[str]:
    """Reverse of `encoded`."""
    return array.tobytes().decode().split("\n")
