"""What a fitted flux is a sum of: simulated fluxes, alone or times how warm and how wet the months are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from dere.exchange import Exchange
from dere.harmonise.statics import potential_evaporation
from dere.knowledge.temperature import lloyd_taylor
from dere.training.places import Places

WARMTH = (0.0, 10.0, 20.0, 28.0)
"""Knots of the monthly air temperature (degC) between which the factor on GPP is interpolated."""
WETNESS = (0.0, 0.6, 1.5)
"""Knots of precipitation over potential evaporation in three months; the factor is a sum of both interpolations."""
WETNESS_MONTHS = 3
_LEAST_DEMAND = 0.3
"""Added to the evaporation (mm d-1), so that cold months count as wet."""


class Terms(NamedTuple):
    """Non-negative terms of GPP and of RECO, (place, time, term); NaN where the simulation has no month."""

    gpp: NDArray[np.float64]
    reco: NDArray[np.float64]


def terms_of(places: Places, exchange: Exchange) -> Terms:
    """Terms of places.

    GPP: simulated GPP times linear hats of temperature and of wetness, so that non-negative coefficients are a
    non-negative factor that depends on both. RECO: simulated Ra, Rh and GPP, and the temperature response of soil
    respiration of Lloyd & Taylor (1994).

    Parameters
    ----------
    places
        With ``simulated`` series (gC m-2 d-1) and the drivers of any set.
    exchange
        Whose states the simulation gives.
    """
    assert places.simulated is not None
    gpp, ra, rh = (
        np.maximum(places.simulated[..., exchange.states.index(name)].astype(float), 0.0)
        for name in ("gpp", "ra", "rh")
    )
    temperature, rain, sun = (_monthly(places, name) for name in ("air_temperature", "precipitation", "shortwave"))
    wetness = _recent(rain) / (_recent(potential_evaporation(temperature, sun)) + _LEAST_DEMAND)
    factors = np.concatenate([hats(temperature, WARMTH), hats(wetness, WETNESS)], axis=-1)
    # the response is singular at -46 degC
    warmth = lloyd_taylor(temperature)
    return Terms(gpp[..., None] * factors, np.stack([ra, rh, warmth, gpp], axis=-1))


def hats(values: NDArray, knots: Sequence[float]) -> NDArray[np.float64]:
    """Linear hat functions (..., knot) that sum to 1; beyond the outer knots the outer one is 1."""
    return np.stack([np.interp(values, knots, one) for one in np.eye(len(knots))], axis=-1)


def _recent(series: NDArray) -> NDArray[np.float64]:
    """Mean over the months that end with each one; the first month stands in for those before it."""
    found: NDArray[np.float64] = uniform_filter1d(
        series, WETNESS_MONTHS, axis=1, origin=WETNESS_MONTHS // 2, mode="nearest"
    )
    return found


def _monthly(places: Places, name: str) -> NDArray[np.float64]:
    """A driver (place, time), the mean of its cycle where the set has no monthly value."""
    names = np.array(places.driver_names)
    chosen = names == name
    if not chosen.any():
        chosen = np.char.startswith(names, f"{name}_h")
    return places.drivers[..., chosen].mean(-1, dtype=float)
