"""Simulated methane of the run's places: the wetland model on their weather and simulated respiration."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dere.knowledge.water import potential_evaporation
from dere.world.wetland import mean_emission

Array = NDArray[np.float64]


def methane(weather: Mapping[str, Array], states: Mapping[str, Array], days: Array) -> Array:
    """Methane as if every place were a wetland, (member, age, time, 1), gC m-2 d-1.

    Parameters
    ----------
    weather
        ``temperature``, ``precipitation`` and ``shortwave`` (member, time), degC, mm d-1, W m-2.
    states
        ``rh`` (member, age, time), simulated heterotrophic respiration, gC m-2 d-1.
    days
        (time,) length of the months.
    """
    temperature, precipitation = weather["temperature"], weather["precipitation"]
    evaporation = potential_evaporation(temperature, weather["shortwave"])
    return mean_emission(temperature, precipitation, evaporation, states["rh"], days)[..., None]
