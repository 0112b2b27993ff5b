"""Simulated methane of the run's places: the wetland model on their weather and simulated respiration."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dere.knowledge.water import potential_evaporation
from dere.world.wetland import WetlandParameters, draw_parameters, emission, middle, wetness

Array = NDArray[np.float64]
_STREAM = 4
"""Apart from the numbers, so that no other stream of random numbers is the same."""


def methane(
    weather: Mapping[str, Array], states: Mapping[str, Array], days: Array, numbers: NDArray[np.int64] | None
) -> Array:
    """Methane as if every place were a wetland, (member, age, time, 1), gC m-2 d-1.

    Parameters
    ----------
    weather
        ``temperature``, ``precipitation`` and ``shortwave`` (member, time), degC, mm d-1, W m-2.
    states
        ``rh`` (member, age, time), simulated heterotrophic respiration, gC m-2 d-1.
    days
        (time,) length of the months.
    numbers
        (member,) numbers by which the constants of each member are drawn, so that the members are many worlds; None =
        the middle of the priors.
    """
    members = len(weather["temperature"])
    constants = middle(members) if numbers is None else _drawn(numbers)
    evaporation = potential_evaporation(weather["temperature"], weather["shortwave"])
    found = wetness(weather["temperature"], weather["precipitation"], evaporation, days, constants)
    return emission(states["rh"], found, constants)[..., None]


def _drawn(numbers: NDArray[np.int64]) -> WetlandParameters:
    """Constants that depend on nothing but a member's own number: not on who else is there, nor on blocks."""
    each = [draw_parameters(np.random.default_rng([_STREAM, int(number)]), 1) for number in numbers]
    return WetlandParameters(*(np.concatenate(values) for values in zip(*each, strict=True)))
