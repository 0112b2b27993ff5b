"""Temperature: respiration, growth, and how warm a month is for its place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dere.knowledge.earlier_months import running_mean
from dere.knowledge.inputs import Inputs
from dere.knowledge.record import mean_of_highest, mean_of_lowest, share
from dere.knowledge.water import DAYS

Array = NDArray[np.float64]

GROWTH = 5.0
"""degC above which plants grow."""
COLDEST = -30.0
"""degC below which respiration falls no further; the factor is singular at -46."""


def temperature(inputs: Inputs, wetness: Array) -> dict[str, Array]:
    """Terms of the group, (member, time) or (member,); ``wetness`` is that of the shallow store."""
    warmth, record = inputs.temperature, inputs.record
    respiration = lloyd_taylor(warmth)
    return {
        "lloyd_taylor": respiration,
        "lloyd_taylor_wet": respiration * wetness,
        "degree_days": degree_days(warmth),
        "temperature_departure": warmth - running_mean(warmth, 12),
        "temperature_warmest": mean_of_highest(warmth, record, 12),
        "temperature_coldest": mean_of_lowest(warmth, record, 12),
        "growing_share": share(warmth > GROWTH, record),
    }


def lloyd_taylor(warmth: Array) -> Array:
    """Respiration relative to 10 degC (Lloyd & Taylor 1994, doi 10.2307/2389824), at least that of -30 degC."""
    return np.exp(308.56 * (1.0 / 56.02 - 1.0 / (np.maximum(warmth, COLDEST) + 46.02)))


def degree_days(warmth: Array) -> Array:
    """Degree days above 5 degC (member, time) that fade: 0.9 of them stay in a growing month, 0.3 in another.

    They start from none before the first month of the axis.
    """
    result = np.empty(warmth.T.shape)
    days = np.zeros(warmth.shape[0])
    for step, now in enumerate(warmth.T):
        days = np.where(now > GROWTH, 0.9 * days + DAYS * (now - GROWTH), 0.3 * days)
        result[step] = days
    return np.ascontiguousarray(result.T)
