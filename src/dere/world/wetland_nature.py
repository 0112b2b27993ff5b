"""Methane of the world's real wetlands: two layers, another response to warmth, and a level that no driver tells.

Fresh carbon of plants feeds the upper layer, old carbon the lower one, which warms later: so fluxes lag behind warmth,
which the simulation (`dere.world.wetland`) does not know.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dere.knowledge.earlier_months import lagged
from dere.world.fields import bounded_normal
from dere.world.wetland import draw_parameters, mean_emission, wetness

Array = NDArray[np.float64]

SITE_SPREAD = 0.8
"""Standard deviation of the logarithm of the level that no driver tells."""
_DEEPER_LAG = 3.0
_FRESH, _OLD = 0.006, 0.012
"""Methane per carbon of plants and of soil, at 15 degC and saturated."""
_MOST = 0.6
"""gC m-2 d-1 that no month reaches (580 nmol m-2 s-1)."""


def true_methane(
    temperature: Array,
    precipitation: Array,
    evaporation: Array,
    gpp: Array,
    respiration: Array,
    days: ArrayLike,
    rng: np.random.Generator,
    distance: float = 1.0,
) -> Array:
    """True methane flux of wetlands, (site, time), gC m-2 d-1.

    Parameters
    ----------
    temperature, precipitation, evaporation
        (site, time) degC, mm d-1, mm d-1.
    gpp, respiration
        (site, time) true GPP and heterotrophic respiration, gC m-2 d-1.
    days
        (time,) length of the months.
    rng
        Draws hydrology and level of sites.
    distance
        ``nature_distance``; at 0 the simulation.
    """
    count = len(temperature)
    near = min(distance, 1.0)
    own, activation = draw_parameters(rng, count), rng.uniform(0.5, 0.95, count)[:, None]
    level = np.exp(distance * SITE_SPREAD * bounded_normal(rng, count))[:, None]
    # wetlands lie where water gathers
    own = own._replace(inflow=own.inflow + 1.0)
    upper = wetness(temperature, precipitation, evaporation, days, own)
    lower = wetness(temperature, precipitation, evaporation, days, own._replace(lag=np.full(count, _DEEPER_LAG)))
    fresh = _recent(gpp) * _FRESH * _anoxic(upper.table + 0.08, 0.05) * _arrhenius(upper.temperature, activation)
    old = respiration.mean(1, keepdims=True) * _OLD * _anoxic(lower.table + 0.4, 0.1)
    old = old * _arrhenius(lower.temperature, activation)
    # plants pipe methane past the oxic layer
    piped = 0.6 * gpp / (gpp + 3.0)
    escaping = piped + (1.0 - piped) * 0.8 * _anoxic(upper.table + 0.1, 0.08)
    dry = own.uptake[:, None] * (1.0 - _anoxic(upper.table + 0.08, 0.05)) * (upper.temperature > 0.0)
    escaped = -_MOST * np.expm1(-level * (fresh + old) * escaping / _MOST)
    if near == 1.0:
        return np.asarray(escaped - dry)
    simulated = mean_emission(temperature, precipitation, evaporation, respiration[:, None], days)[:, 0]
    return np.asarray((1.0 - near) * simulated + near * (escaped - dry))


def _recent(series: Array) -> Array:
    return 0.5 * (series + lagged(series, 1))


def _anoxic(height: Array, width: float) -> Array:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(height / width, -50.0, 50.0))))


def _arrhenius(temperature: Array, activation: Array) -> Array:
    """Factor of warmth relative to 15 degC for an activation energy in eV; nothing below freezing."""
    kelvin = temperature + 273.15
    factor = np.exp(activation / 8.617e-5 * (1.0 / 288.15 - 1.0 / kelvin))
    return np.asarray(factor * _anoxic(temperature + 0.1, 0.5))
