"""Wetlands among the virtual towers: which they are, and what they measure of methane.

Nothing of carbon dioxide depends on them: they are drawn from streams of their own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dere.config.world import WorldConfig
from dere.knowledge.water import potential_evaporation
from dere.variables import FLUX_UNIT, FLUXES, convert
from dere.world.climate import Climate
from dere.world.fields import generator
from dere.world.forcing import DAYS_IN_MONTH
from dere.world.wetland_nature import true_methane

Array = NDArray[np.float64]

WET = 0.7
"""Precipitation over potential evaporation from which a place may hold a wetland."""
UNIT = "nmolCH4 m-2 s-1"
_LOST, _LOST_COLD = 0.25, 0.35
"""Share of months without a measurement, and how much of the frozen ones is lost beside."""


def columns(climate: Climate, fluxes: Array, soil: Array, config: WorldConfig) -> dict[str, Array]:
    """``FCH4`` (nmol m-2 s-1) and ``FCH4_QC`` (share of measured days), each (site, time); NaN = not measured.

    Parameters
    ----------
    climate
        Of the sites.
    fluxes
        (site, time, flux) truth in the order of ``FLUXES``, gC m-2 d-1.
    soil
        (site, time) true heterotrophic respiration, gC m-2 d-1.
    config
        Of the world; ``wetlands`` are wanted, fewer are found where fewer sites are wet enough.
    """
    temperature, rain = climate.monthly["air_temperature"], climate.monthly["precipitation"]
    shape = temperature.shape
    empty = {name: np.full(shape, np.nan) for name in ("FCH4", "FCH4_QC")}
    evaporation = potential_evaporation(temperature, climate.monthly["shortwave"])
    wet = np.flatnonzero(rain.mean(1) > WET * evaporation.mean(1))
    rng = generator(config.seed, "wetlands")
    at = np.sort(rng.permutation(wet)[: config.wetlands])
    if not len(at):
        return empty
    days = np.tile(DAYS_IN_MONTH, shape[1] // 12)
    gpp = fluxes[at][..., FLUXES.index("gpp")]
    true = true_methane(temperature[at], rain[at], evaporation[at], gpp, soil[at], days, rng, config.nature_distance)
    return empty | _measured(true, temperature[at], at, shape, generator(config.seed, "wetlands", "observation"))


def _measured(
    true: Array, temperature: Array, at: NDArray[np.int64], shape: tuple[int, ...], rng: np.random.Generator
) -> dict[str, Array]:
    """What towers report: an error that grows with the flux, records of some years, gaps, more of them in winter."""
    noise = rng.normal(size=true.shape) * (5e-4 + 0.12 * np.abs(true))
    years = shape[1] // 12
    length = rng.integers(min(3, years), years + 1, len(true))
    first = rng.integers(0, years - length + 1)
    year = np.arange(shape[1]) // 12
    recorded = (year >= first[:, None]) & (year < (first + length)[:, None])
    lost = rng.uniform(size=true.shape) < _LOST + _LOST_COLD * (temperature < 0.0)
    share = rng.uniform(0.35, 1.0, true.shape)
    kept = recorded & ~lost
    found = {name: np.full(shape, np.nan) for name in ("FCH4", "FCH4_QC")}
    found["FCH4"][at] = np.where(kept, convert(true + noise, FLUX_UNIT, UNIT, "methane"), np.nan)
    found["FCH4_QC"][at] = np.where(kept, share, np.nan)
    return found
