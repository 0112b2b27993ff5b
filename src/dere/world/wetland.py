"""Methane of wetlands by a model of one layer: anoxic decay below a water table, oxidation on the way up.

Monthly, vectorised over members. It stands in for a published process model where a network is pre-trained on simulated
methane; a daily model would need a gas pool and profiles. Constants are broad priors; the simulation of a place is the
mean over many worlds of them (`mean_emission`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dere.knowledge.earlier_months import running_mean
from dere.world.parameters import DEFAULT
from dere.world.water import melt_snow

Array = NDArray[np.float64]

REFERENCE = 15.0
"""degC at which substrate is stated."""
ZERO = 273.15
LOWEST = -1000.0
"""mm of the water store when the profile is dry."""
SPIN_UP = 2
"""Passes over the whole axis before the one that counts."""
_MELT, _COLD = 60.0, -1.0
"""mm that may melt in a month at 0 degC and more per degC above, and degC below which precipitation is snow."""
_SNOW_LID = 0.3
"""Share of the air's departure from freezing that reaches soil under snow."""


class WetlandParameters(NamedTuple):
    """Constants of members, each (member,).

    Attributes
    ----------
    ratio
        Carbon in methane per carbon respired when saturated, at 15 degC.
    q0
        Apparent Q10 of production at 0 degC; its logarithm falls with temperature.
    anoxic_depth, oxic_depth
        m over which anoxia above, and oxidation below, the surface of a falling water table fade by 1/e.
    oxidised
        Share of the methane that plants oxidise when the water table is at the surface.
    uptake
        gC m-2 d-1 that dry ground takes up.
    lag
        Months by which soil temperature follows.
    evaporation, drainage
        Factor on potential evaporation; share that drains per day.
    outlet, store, inflow
        mm below the surface of the outlet, mm of water that may stand, mm d-1 from uphill.
    porosity
        Drainable porosity.
    """

    ratio: Array
    q0: Array
    anoxic_depth: Array
    oxic_depth: Array
    oxidised: Array
    uptake: Array
    lag: Array
    evaporation: Array
    drainage: Array
    outlet: Array
    store: Array
    inflow: Array
    porosity: Array


RANGES: dict[str, tuple[float, float]] = {
    "ratio": (0.01, 0.25),
    "q0": (1.5, 4.0),
    "anoxic_depth": (0.05, 0.3),
    "oxic_depth": (0.03, 0.2),
    "oxidised": (0.1, 0.5),
    "uptake": (0.0, 0.004),
    "lag": (0.5, 2.0),
    "evaporation": (0.6, 1.1),
    "drainage": (0.001, 0.01),
    "outlet": (100.0, 400.0),
    "store": (50.0, 300.0),
    "inflow": (0.0, 3.0),
    "porosity": (0.1, 0.5),
}
"""Priors: uniform, but for ``ratio``, whose logarithm is normal and cut off (docs/methane.md)."""
_RATIO, _RATIO_SPREAD = 0.06, 0.8
WORLDS = 32
"""Draws from the priors whose mean is the simulation."""
_STREAM = 4
"""Apart from other seeds, so that no other stream of random numbers is the same."""


def draw_parameters(rng: np.random.Generator, members: int) -> WetlandParameters:
    """Draw constants of members from the priors."""
    values = {name: rng.uniform(low, high, members) for name, (low, high) in RANGES.items()}
    ratio = np.clip(_RATIO * np.exp(_RATIO_SPREAD * rng.normal(size=members)), *RANGES["ratio"])
    return WetlandParameters(**(values | {"ratio": ratio}))


class Wetness(NamedTuple):
    """Soil temperature (degC) and water table (m, positive above the surface), each (member, time)."""

    temperature: Array
    table: Array


def wetness(
    temperature: Array, precipitation: Array, evaporation: Array, days: ArrayLike, p: WetlandParameters
) -> Wetness:
    """Soil temperature and water table.

    Parameters
    ----------
    temperature, precipitation, evaporation
        (member, time) air temperature (degC), precipitation and potential evaporation (mm d-1).
    days
        (time,) length of the months.
    p
        Constants.
    """
    length = np.broadcast_to(np.asarray(days, float), temperature.shape[1:])
    share = -np.expm1(-1.0 / p.lag)
    soil, water, snow = temperature.mean(1), np.zeros(len(temperature)), np.zeros(len(temperature))
    warm, store = np.empty(temperature.shape), np.empty(temperature.shape)
    for _ in range(SPIN_UP + 1):
        for t, d in enumerate(length):
            air, fallen = temperature[:, t], precipitation[:, t] * d
            frozen = air < _COLD
            snow, melt = melt_snow(snow, np.where(frozen, fallen, 0.0), np.where(air > 0.0, _MELT * (1.0 + air), 0.0))
            soil = soil + share * (np.where(snow > 0.0, _SNOW_LID * air, air) - soil)
            gain = np.where(frozen, 0.0, fallen) + melt + (p.inflow - p.evaporation * evaporation[:, t]) * d
            water = water + gain
            # exponential, so that a month never drains more than there is above the outlet
            water = water + np.maximum(water + p.outlet, 0.0) * np.expm1(-p.drainage * d)
            water = np.clip(water, LOWEST, p.store)
            warm[:, t], store[:, t] = soil, water
    below = store / (1000.0 * p.porosity[:, None])
    return Wetness(warm, np.where(store >= 0.0, store / 1000.0, below))


def substrate(respiration: Array, temperature: Array) -> Array:
    """Respiration at 15 degC: the 12-month mean over the same months' mean of its own factor of temperature.

    So temperature acts once, in the methane's own response.

    Parameters
    ----------
    respiration
        (member, age, time) heterotrophic respiration of a wet soil, gC m-2 d-1.
    temperature
        (member, time) soil temperature, degC.
    """
    low = np.maximum(temperature, -40.0)
    warmth = np.exp(DEFAULT.decay_activation * (1.0 / (REFERENCE + 46.02) - 1.0 / (low + 46.02)))
    warmth = warmth * np.where(temperature < 0.0, DEFAULT.frozen_decay, 1.0)
    members, ages, months = respiration.shape
    mean = running_mean(respiration.reshape(members * ages, months), 12).reshape(respiration.shape)
    return mean / np.maximum(running_mean(warmth, 12), 1e-3)[:, None]


def emission(respiration: Array, found: Wetness, p: WetlandParameters) -> Array:
    """Net methane flux, (member, age, time), gC m-2 d-1, positive to the atmosphere.

    Parameters
    ----------
    respiration
        (member, age, time) heterotrophic respiration of a wet soil, gC m-2 d-1.
    found
        Soil temperature and water table.
    p
        Constants.
    """

    def column(values: Array) -> Array:
        return values[:, None]

    soil, depth = found.temperature, np.maximum(-found.table, 0.0)
    anoxic = np.exp(-depth / column(p.anoxic_depth))
    thaw = 1.0 / (1.0 + np.exp(-np.clip((soil + 0.1) / 0.5, -50.0, 50.0)))
    q10 = column(p.q0) ** (ZERO / (soil + ZERO))
    made = column(p.ratio) * anoxic * q10 ** ((soil - REFERENCE) / 10.0) * thaw
    escaping = (1.0 - column(p.oxidised)) * np.exp(-depth / column(p.oxic_depth))
    taken = column(p.uptake) * (1.0 - anoxic) * thaw
    return np.asarray(substrate(respiration, soil) * (made * escaping)[:, None] - taken[:, None])


def mean_emission(
    temperature: Array, precipitation: Array, evaporation: Array, respiration: Array, days: ArrayLike
) -> Array:
    """Methane of places of which nothing is known but these: the mean over `WORLDS` draws, the same for every place.

    A network that learns from single draws takes what its few cells happened to draw for a property of the places;
    squared errors aim at the mean over draws anyway. One world in the middle of the priors is no stand-in, because the
    response to water is steep: where its water table falls below the surface, hardly any season is left.

    Parameters
    ----------
    temperature, precipitation, evaporation
        As for `wetness`.
    respiration
        As for `emission`.
    days
        (time,) length of the months.

    Returns
    -------
    array
        (member, age, time), gC m-2 d-1.
    """
    worlds = draw_parameters(np.random.default_rng(_STREAM), WORLDS)
    total = np.zeros(respiration.shape)
    for world in zip(*worlds, strict=True):
        p = WetlandParameters(*(np.full(len(temperature), value) for value in world))
        total += emission(respiration, wetness(temperature, precipitation, evaporation, days, p), p)
    return total / WORLDS
