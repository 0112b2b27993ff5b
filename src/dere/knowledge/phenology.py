"""Phenology: where a month lies in the year of its place, and whether leaves come or go."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dere.knowledge.earlier_months import lagged
from dere.knowledge.inputs import Inputs
from dere.knowledge.record import following, in_range, maximum, minimum

Array = NDArray[np.float64]


def phenology(inputs: Inputs) -> dict[str, Array]:
    """Terms of the group, (member, time) or (member,); those of leaves only with satellites."""
    weather = {"temperature": inputs.temperature, "shortwave": inputs.shortwave}
    leaves = {name: series for name, series in (("lai", inputs.lai), ("evi", inputs.evi)) if series is not None}
    record, month = inputs.record, inputs.month
    result = {}
    for name, series in (weather | leaves).items():
        result[f"{name}_in_range"] = in_range(series, record)
        result[f"{name}_next"] = following(series, record, inputs.climatology[name], month)
    for name, series in leaves.items():
        result[f"{name}_maximum"], result[f"{name}_minimum"] = maximum(series, record), minimum(series, record)
        result[f"{name}_change"] = series - lagged(series, 1)
    if inputs.lai is not None and inputs.evi is not None:
        result["evi_per_lai"] = inputs.evi / (inputs.lai + 0.3)
    return result
