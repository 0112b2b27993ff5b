"""Water: what the air could take, what rain brings of it, and how wet two stores of soil water are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dere.knowledge.earlier_months import running_mean
from dere.knowledge.inputs import Inputs
from dere.knowledge.record import mean_of_lowest

Array = NDArray[np.float64]

DAYS = 30.4
"""Days of a month."""
SHALLOW, DEEP = 75.0, 250.0
"""Capacities of the two stores (mm)."""
FIRST_WETNESS = 0.7
SPIN_UP = 2
"""Passes over the whole axis before the one that counts."""


def water(inputs: Inputs) -> dict[str, Array]:
    """Terms of the group, (member, time) or (member,)."""
    evaporation = potential_evaporation(inputs.temperature, inputs.shortwave)
    arguments = inputs.temperature, inputs.rain, evaporation
    shallow = wetness(*arguments, SHALLOW)
    result = {"potential_evaporation": evaporation, "potential_evaporation_mean12": running_mean(evaporation, 12)}
    for length, end in ((1, ""), (3, "_mean3"), (12, "_mean12")):
        rain, demand = running_mean(inputs.rain, length), running_mean(evaporation, length)
        result[f"moisture_index{end}"] = rain / (demand + 0.3)
    return result | {
        "wetness_shallow": shallow,
        "wetness_deep": wetness(*arguments, DEEP),
        "wetness_shallow_driest": mean_of_lowest(shallow, inputs.record, 6),
    }


def potential_evaporation(temperature: NDArray, shortwave: NDArray) -> Array:
    """Potential evaporation after Makkink (mm d-1) from air temperature (degC) and shortwave (W m-2)."""
    slope = 4098.0 * 0.6108 * np.exp(17.27 * temperature / (temperature + 237.3)) / (temperature + 237.3) ** 2
    return np.maximum(0.61 * slope / (slope + 0.066) * shortwave * 0.0864 / 2.45, 0.0)


def wetness(temperature: Array, rain: Array, evaporation: Array, capacity: float) -> Array:
    """Filling (0 to 1) of a store of soil water at the end of each month.

    Below -1 degC precipitation is snow; above 0 degC up to 60 + 60 T mm of it melt in a month. Evaporation is the
    potential one, and falls with the filling below half of the capacity. What does not fit runs off. The store starts
    at 0.7 of its capacity without snow, and goes twice over the whole axis before the pass that counts.

    Parameters
    ----------
    temperature, rain, evaporation
        (member, time) degC, mm d-1 (not negative) and mm d-1.
    capacity
        mm.
    """
    # months first, so that each step of the loop reads a row
    warmth, fallen, demand = temperature.T, DAYS * rain.T, DAYS * evaporation.T
    frozen, most = warmth < -1.0, np.where(warmth > 0.0, 60.0 + 60.0 * warmth, 0.0)
    result = np.empty(warmth.shape)
    stored, snow = np.full(warmth.shape[1], FIRST_WETNESS * capacity), np.zeros(warmth.shape[1])
    for _ in range(SPIN_UP + 1):
        for step in range(len(warmth)):
            snow = snow + np.where(frozen[step], fallen[step], 0.0)
            melt = np.minimum(snow, most[step])
            snow = snow - melt
            supply = np.where(frozen[step], 0.0, fallen[step]) + melt
            taken = demand[step] * np.minimum(1.0, 2.0 * stored / capacity)
            stored = np.clip(stored + supply - taken, 0.0, capacity)
            result[step] = stored / capacity
    return np.ascontiguousarray(result.T)
