"""Dryness of a place: how often it does not rain, and how dry its air gets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dere.knowledge.inputs import Inputs
from dere.knowledge.record import mean_of_highest, share

Array = NDArray[np.float64]

DRY = 0.5
"""mm d-1 below which a month is dry."""


def dryness(inputs: Inputs) -> dict[str, Array]:
    """Terms of the group (member,)."""
    return {
        "dry_share": share(inputs.precipitation < DRY, inputs.record),
        "vpd_highest": mean_of_highest(inputs.vpd, inputs.record, 6),
    }
