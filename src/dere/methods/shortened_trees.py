"""LightGBM's text of trees without what does not predict: gains, weights and counts; numbers with fewer digits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNUSED = ("split_gain", "leaf_weight", "leaf_count", "internal_value", "internal_weight", "internal_count")
# byte offsets of the whole text, which LightGBM reads without
OFFSETS = "tree_sizes"
DIGITS = {"threshold": 9, "leaf_value": 7}
"""Features are in single precision, which nine digits state; an ensemble needs no more of its leaves than seven."""
END = "end of trees"
# its reader looks for them
TAIL = f"{END}\n\nparameters:\nend of parameters\n\npandas_categorical:null\n"


def shortened(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the arrays of a fitted tree stage with shorter texts; all others as they are."""
    return {
        name: np.frombuffer(short_text(array.tobytes().decode()).encode(), np.uint8) if _is_text(array) else array
        for name, array in arrays.items()
    }


def short_text(text: str) -> str:
    """Return what predicts of LightGBM's text of a model."""
    kept = []
    for line in text.partition(END)[0].split("\n"):
        name, _, values = line.partition("=")
        if name in (*UNUSED, OFFSETS):
            continue
        if name in DIGITS:
            # a tree that never splits has no threshold
            line = f"{name}=" + " ".join(f"{float(value):.{DIGITS[name]}g}" for value in values.split())
        kept.append(line)
    return "\n".join(kept) + TAIL


def _is_text(array: NDArray[Any]) -> bool:
    return array.dtype == np.uint8
