"""Nature: the process model with other parameters and with processes that the simulation lacks; the world's truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dere.variables import FLUXES
from dere.world.age_means import AgeMeans, mean_over_ages
from dere.world.climate import Climate
from dere.world.fields import bounded_normal, generator
from dere.world.landscape import Landscape
from dere.world.parameters import DEFAULT, Parameters, Structure
from dere.world.process_model import simulate

Array = NDArray[np.float64]


# nature's value over the simulation's at nature_distance 1
_RATIOS: dict[str, float | tuple[float, ...]] = {
    "light_use": (1.22, 1.18, 1.25),
    "cold_ramp": 1.5,
    "available_water": 1.2,
    "critical_wetness": (1.15, 0.9, 1.1),
    "leaf_cost": (0.85, 0.9, 0.85),
    "leaf_respiration": (1.15, 0.85, 1.1),
    "q10": 0.88,
    "acclimation": 0.6,
    "mortality": (0.85, 0.8, 1.0),
    "decay": (0.85, 1.15, 0.85, 1.0),
    "canopy_mixing": 0.8,
}


_MOST = np.log(1.8)
"""Logarithm of the most by which everything that no driver tells may multiply a month's GPP or respiration: several
unlucky draws at once would otherwise make towers of a kind that nobody has seen."""

_SHOWN = 0.5
"""Share of events and timing (in logarithms) that changes leaf area as it changes GPP; the rest is leaf age and what no
leaf shows."""


def nature_parameters(distance: float) -> Parameters:
    """Parameters of nature, interpolated geometrically between the simulation's (0) and the default nature's (1)."""
    changed: dict[str, float | tuple[float, ...]] = {}
    for name, ratio in _RATIOS.items():
        value = getattr(DEFAULT, name)
        if isinstance(value, tuple):
            changed[name] = tuple(float(v * r**distance) for v, r in zip(value, np.atleast_1d(ratio), strict=True))
        else:
            changed[name] = float(value * np.power(ratio, distance))
    shift = 2.0 * distance  # trees wait longer with their leaves
    flush = tuple((low + move, high + move) for (low, high), move in zip(DEFAULT.flush, (shift, 0.0, 0.0), strict=True))
    return replace(DEFAULT, **changed, flush=flush)  # type: ignore[arg-type]


def _walk(rng: np.random.Generator, shape: tuple[int, int], memory: float) -> Array:
    """(point, time) first-order autoregression of about unit variance."""
    shock = bounded_normal(rng, shape)
    walk = np.empty(shape)
    walk[:, 0] = shock[:, 0]
    for month in range(1, shape[1]):
        walk[:, month] = memory * walk[:, month - 1] + np.sqrt(1 - memory**2) * shock[:, month]
    return walk


def richness(legacy: Array, soil: Array, carbon: Array, days: Array) -> Array:
    """Carbon of soils with another history over that of the model's soils, as both take up the same litter.

    Soil respires in proportion to its carbon, so what it has too little or too much at the start fades at the rate of
    its turnover, and the factor is also that on heterotrophic respiration.

    Parameters
    ----------
    legacy
        (point,) the factor at the start.
    soil
        (point, time) heterotrophic respiration of the model, gC m-2 d-1.
    carbon
        (point, time) its soil carbon at the start of each month, gC m-2.
    days
        (time,) length of the months.

    Returns
    -------
    numpy.ndarray
        (point, time) factor; its departure from 1, times the model's respiration, is what the departure of the stock
        loses.
    """
    turnover = soil * days / np.maximum(carbon, 1e-9)
    departure = (legacy - 1.0) * carbon[:, 0]
    factor = np.ones_like(soil)
    for month in range(soil.shape[1]):
        lost = -departure * np.expm1(-turnover[:, month])
        factor[:, month] += lost / np.maximum(soil[:, month] * days[month], 1e-9)
        departure = departure - lost
    return factor


def _individuality(
    climate: Climate, landscape: Landscape, gpp: Array, plants: Array, soil: Array, rich: Array, seed: int, purpose: str
) -> tuple[Array, Array, Array, Array]:
    """What no driver and no map tells: unforeseen events, the species' timing, the soil's own history.

    Parameters
    ----------
    climate, landscape
        Of the points.
    gpp, plants, soil
        (point, time) GPP, plant and soil respiration of the process model with nature's parameters.
    rich
        (point, time) factor of the soil's own history on its respiration.
    seed, purpose
        Seed and name of the random stream of the events.

    Returns
    -------
    tuple
        The same three, all non-negative, and the factor on leaf area.
    """
    months = gpp.shape[1]
    rng = generator(seed, purpose, "events")
    size = landscape.events[:, None]
    productive = size * _walk(rng, gpp.shape, 0.7) - size**2 / 2
    respiring = 1.0 * size * _walk(rng, gpp.shape, 0.5)
    late = np.sin(2 * np.pi * (np.arange(months) % 12 - 6.2) / 12)[None] * np.sign(climate.lat)[:, None]
    own_plants = plants * np.exp(0.9 * productive + 0.5 * landscape.timing[:, None] * late + respiring)
    own_soil = soil * rich * np.exp(0.5 * productive + respiring)
    total = own_plants + own_soil
    mean = total.mean(axis=1, keepdims=True) + 1e-9
    steep = (total / mean + 0.02) ** landscape.breathing[:, None]
    steep = steep * mean / ((total * steep).mean(axis=1, keepdims=True) + 1e-9)
    wanted = np.log((total * steep + 1e-9) / (plants + soil + 1e-9))
    bounded = np.exp(_bounded(wanted) - wanted)
    season = _bounded(productive + landscape.timing[:, None] * late)
    gpp = gpp * np.exp(season)
    return gpp, own_plants * steep * bounded, own_soil * steep * bounded, np.exp(_SHOWN * season)


def _plausible(gpp: Array, plants: Array, soil: Array) -> tuple[Array, Array, Array]:
    """The same three with the rarest months drawn smoothly to what towers show.

    Of 11,411 good months at 166 real towers the most is 23.8 (GPP), 21.5 (RECO) and 8.7 gC m-2 d-1 (NEE); months below
    the knees stay as they are.
    """
    reco = plants + soil
    low_gpp = _saturating(gpp, 14.0, 11.0)
    net = _saturating(_saturating(reco, 10.0, 12.0) - low_gpp, 4.0, 5.0)
    share = (low_gpp + net) / (reco + 1e-9)
    return low_gpp, plants * share, soil * share


def _saturating(flux: Array, knee: float, room: float) -> Array:
    """``flux`` up to the knee; beyond, it approaches knee + room with the same slope at the knee."""
    return np.where(flux > knee, knee - room * np.expm1(-np.maximum(flux - knee, 0.0) / room), flux)


def _bounded(factor: Array) -> Array:
    """Logarithm of a combined factor, drawn smoothly to within _MOST; small ones hardly change."""
    return _MOST * np.tanh(factor / _MOST)


class Truth(NamedTuple):
    """What nature does at points, per vegetated area.

    Attributes
    ----------
    fluxes
        (point, time, flux) in the order of ``FLUXES``, gC m-2 d-1, closed.
    cover
        (point, plant_type) mean shares of BL, NL, GS behind them.
    plant_carbon, soil_carbon
        (point,) stocks before the first month, gC m-2; litter and debris count as soil.
    export
        (point, time) carbon that harvest takes away, less seeds that arrive, gC m-2 d-1.
    leaf_area
        (point, time) leaf area index, m2 m-2; half of what events and the species' timing do to GPP happens in leaves.
    soil
        (point, time) heterotrophic respiration, gC m-2 d-1.
    """

    fluxes: Array
    cover: Array
    plant_carbon: Array
    soil_carbon: Array
    export: Array
    leaf_area: Array
    soil: Array

    def carbon(self, days: Array) -> Array:
        """(point, time) plant and soil carbon after each month, gC m-2, for months of ``days`` (time,)."""
        gain = -(self.fluxes[..., FLUXES.index("nee")] + self.export) * days
        return (self.plant_carbon + self.soil_carbon)[:, None] + np.cumsum(gain, axis=1)


def true_fluxes(
    climate: Climate,
    soil_depth: Array,
    landscape: Landscape,
    ages: Sequence[int],
    *,
    seed: int,
    distance: float,
    purpose: str,
) -> Truth:
    """True fluxes and stocks per vegetated area.

    Parameters
    ----------
    climate
        Of the points.
    soil_depth
        (point,) mm.
    landscape
        True surface of the points.
    ages
        Stand ages in years.
    seed
        Seed of the spin-up years and of the events.
    distance
        ``nature_distance``; at 0 the process model itself. Below 1 the share ``1 - distance`` of the ground follows the
        model's own succession, the rest has the cover of ``landscape``.
    purpose
        Name of the random stream (cells, towers and virtual towers have their own).

    Raises
    ------
    ValueError
        When the process model returns NaN.
    """
    structure = Structure(
        nutrient=landscape.nutrient,
        water_table=landscape.water_table,
        drought_legacy=float(min(0.35 * distance, 0.8)),
        disturbance=landscape.disturbance,
        harvest=landscape.harvest,
        co2_sensitivity=1.0 + 0.5 * distance,
    )
    near = min(distance, 1.0)
    forcing = climate.forcing(soil_depth)
    parts = []
    for share, fraction in ((1.0 - near, None), (near, landscape.fraction)):
        if share == 0.0:
            continue
        run = simulate(
            forcing,
            ages,
            stands=("mixture",),
            parameters=nature_parameters(distance),
            structure=structure,
            fraction=fraction,
            seed=seed,
            diagnostics=True,
        )
        means = mean_over_ages(run, landscape.age_weight, forcing.days)
        parts.append([share * value for value in means])
    mean = AgeMeans(*(sum(values[1:], start=values[0]) for values in zip(*parts, strict=True)))
    rich = richness(landscape.soil_legacy, mean.soil, mean.soil_carbon, forcing.days)
    *wild, leaves = _individuality(climate, landscape, mean.gpp, mean.plants, mean.soil, rich, seed, purpose)
    gpp, plants, soil = ((1.0 - near) * w + near * p for w, p in zip(wild, _plausible(*wild), strict=True))
    reco = plants + soil
    lost = int((~np.isfinite(reco - gpp)).any(axis=1).sum())
    if lost:
        raise ValueError(
            f"the process model gives NaN at {lost} of {gpp.shape[0]} points of nature, expected finite fluxes "
            "everywhere; look for months outside the P-model's range (very hot and dry) in the world's climate"
        )
    fluxes = np.stack([{"gpp": gpp, "reco": reco, "nee": reco - gpp}[name] for name in FLUXES], axis=-1)
    start = landscape.soil_legacy * mean.soil_carbon[:, 0]
    return Truth(fluxes, mean.cover, mean.plant_carbon[:, 0], start, mean.export, mean.leaf_area * leaves, soil)
