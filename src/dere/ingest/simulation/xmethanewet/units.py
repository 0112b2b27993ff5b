"""Units of methane as files write them."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from dere.variables import FLUX_UNIT, convert

_KNOWN = {
    "mgch4": ("mgCH4 m-2 d-1", 1.0),
    "gch4": ("mgCH4 m-2 d-1", 1e3),
    "mgc": (FLUX_UNIT, 1e-3),
    "gc": (FLUX_UNIT, 1.0),
    "nmolch4": ("nmolCH4 m-2 s-1", 1.0),
    "nmol": ("nmolCH4 m-2 s-1", 1.0),
}
_PER = {"m-2d-1": "d", "/m2/d": "d", "m-2s-1": "s", "/m2/s": "s"}


def to_carbon(values: NDArray[np.floating], unit: str, where: str) -> NDArray[np.floating]:
    """Methane in gC m-2 d-1.

    Parameters
    ----------
    values
        As the file writes them, any shape.
    unit
        Its attribute ``units``; empty = it states none.
    where
        File and variable, for the message.

    Raises
    ------
    ValueError
        When the unit is none that says whether its mass is of methane or of carbon. One nanomole is of either.
    """
    plain = re.sub(r"[\s^_.()]|\*\*", "", unit).lower().replace("day", "d")
    for ending, per in _PER.items():
        known = _KNOWN.get(plain.removesuffix(ending)) if plain.endswith(ending) else None
        if known and (per == "s") == known[0].endswith("s-1"):
            return convert(values * known[1], known[0], FLUX_UNIT, where)
    stated = f"states '{unit}'" if unit else "states no unit"
    raise ValueError(
        f"{where} {stated}, but mg CH4 m-2 d-1, g CH4 m-2 d-1, mg C m-2 d-1, g C m-2 d-1 or nmol CH4 m-2 s-1 is "
        "expected, so that nobody takes methane for carbon; write the attribute units"
    )
