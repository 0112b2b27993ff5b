"""What truly grows where: land cover, stand ages, nutrients, groundwater, disturbance and harvest of nature.

Regional fields follow climate, soil and a random history; a tower's footprint is drawn around them. Nothing here is
known to the process-model run; satellites and the age table see it with error (``satellite.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dere.world.climate import Climate
from dere.world.fields import bounded_normal, generator, static_field

Array = NDArray[np.float64]

LAYERS = (
    "TREES-BD", "TREES-BE", "TREES-ND", "TREES-NE", "SHRUBS-BD", "SHRUBS-BE", "SHRUBS-ND", "SHRUBS-NE",
    "GRASS-NAT", "GRASS-MAN", "BARE", "BUILT", "WATER", "SNOWICE",
)  # fmt: skip
_BL, _NL, _GS, _VEGETATION = slice(0, 2), slice(2, 4), slice(4, 10), slice(0, 10)
_CROP = LAYERS.index("GRASS-MAN")


@dataclass(frozen=True)
class Landscape:
    """True surface of points (cells' land, or footprints).

    Parameters
    ----------
    layers
        (point, 14) share of the land of each of ``LAYERS``, rows sum to 1.
    age_weight
        (point, age) share of each stand age, rows sum to 1.
    nutrient
        (point,) factor on photosynthesis.
    water_table, harvest
        (point,) 0-1, see the process model's ``Structure``.
    disturbance
        (point,) additional mortality, yr-1.
    wetland
        (point,) share of wetland.
    soil_legacy
        (point,) factor on soil carbon before the first month: soils that past land use left poorer or richer than
        those of the simulation, on average neither; it fades as they take up or lose carbon.
    events
        (point,) size of what no driver tells (pests, management, early or late seasons): standard deviation of
        the logarithm of productivity.
    timing
        (point,) how late (positive) or early the species' season is: amplitude of a sine on log productivity.
    breathing
        (point,) additional steepness of respiration along its season.
    """

    layers: Array
    age_weight: Array
    nutrient: Array
    water_table: Array
    harvest: Array
    disturbance: Array
    wetland: Array
    soil_legacy: Array
    events: Array
    timing: Array
    breathing: Array

    @property
    def vegetated(self) -> Array:
        """(point,) vegetated share of the land."""
        return self.layers[:, _VEGETATION].sum(axis=1)

    @property
    def fraction(self) -> Array:
        """(point, plant_type) shares of BL, NL, GS in the vegetated land; bare points count as grass."""
        return plant_fraction(self.layers)


def plant_fraction(layers: Array) -> Array:
    """(..., plant_type) shares of the vegetated part from (..., 14) layers."""
    parts = np.stack([layers[..., part].sum(axis=-1) for part in (_BL, _NL, _GS)], axis=-1)
    parts[..., 2] += np.where(parts.sum(axis=-1) < 1e-6, 1.0, 0.0)
    return parts / parts.sum(axis=-1, keepdims=True)


def with_fraction(landscape: Landscape, fraction: Array) -> Landscape:
    """The same land with other shares of BL, NL, GS (point, plant_type) in its vegetated part.

    Layers of a type keep their proportions; a type that was absent becomes summergreen broadleaf, evergreen
    needleleaf or natural grass.
    """
    layers = landscape.layers.copy()
    wanted = fraction * landscape.vegetated[:, None]
    for kind, (part, typical) in enumerate(zip((_BL, _NL, _GS), ("TREES-BD", "TREES-NE", "GRASS-NAT"), strict=True)):
        had = layers[:, part].sum(axis=1)
        present = had > 1e-9
        layers[:, part] *= np.where(present, wanted[:, kind] / np.where(present, had, 1.0), 0.0)[:, None]
        layers[:, LAYERS.index(typical)] += np.where(present, 0.0, wanted[:, kind])
    return replace(landscape, layers=layers)


def _ramp(value: Array, centre: float, width: float) -> Array:
    return 1 / (1 + np.exp(-(value - centre) / width))


def moisture(climate: Climate) -> Array:
    """(point,) annual rain over a simple temperature-based demand."""
    normals = climate.climatology
    demand = 0.6 + 0.13 * np.clip(normals["air_temperature"], 0, None)
    return normals["precipitation"].mean(axis=1) / demand.mean(axis=1)


def regional(climate: Climate, soil: dict[str, Array], ages: Sequence[int], seed: int, distance: float) -> Landscape:
    """Mean landscape of the region around each point of ``climate``.

    Parameters
    ----------
    climate, soil
        Of the points.
    ages
        Stand ages in years.
    seed
        Seed of the history.
    distance
        ``nature_distance``: scale of the structural fields that the simulation does not have.
    """
    lat, lon = climate.lat, climate.lon

    def field(name: str, length: float) -> Array:
        return static_field(generator(seed, name), lat, lon, length)

    normals = climate.climatology["air_temperature"]
    cold, warm, mean = normals.min(axis=1), normals.max(axis=1), normals.mean(axis=1)
    wet = moisture(climate)
    vegetated = _ramp(wet, 0.22, 0.05) * _ramp(warm, 3.5, 1.2)
    ice = 0.5 * _ramp(-warm, -3.0, 1.0)
    built = 0.015 * _ramp(field("people", 500.0), 0.3, 0.5) * _ramp(mean, 4.0, 3.0)
    water = 0.02 * _ramp(field("lakes", 500.0), 0.5, 0.5)
    vegetated = np.clip(vegetated, 0.005, 0.995) * (1 - ice - built - water)
    people = _ramp(field("farming", 900.0), 0.1, 0.6) * _ramp(mean, 4.0, 2.0) * _ramp(wet, 0.45, 0.12)
    farmed = 0.62 * people * (1 - 0.7 * _ramp(wet, 1.9, 0.25) * _ramp(cold, 15, 3))
    trees = _ramp(wet, 0.62, 0.12) * _ramp(warm, 10.0, 1.0) * np.clip(0.72 + 0.16 * field("woods", 600.0), 0.15, 0.95)
    conifers = _ramp(-cold, -1.0, 4.0) * _ramp(-cold, -14.0, 3.0)
    conifers = _ramp(np.log(conifers / (1 - conifers + 1e-9) + 1e-12) + 1.1 * field("conifers", 700.0), 0.0, 1.0)
    conifers = np.where(cold > 16, 0.02 * conifers, conifers)
    sclerophyll = 0.5 * _ramp(cold, 5, 1.5) * _ramp(-wet, -0.9, 0.2)
    evergreen = np.clip(_ramp(cold, 9, 3) * _ramp(wet, 1.0, 0.15) + sclerophyll, 0, 1)
    larch = _ramp(-cold, 24, 2.0)
    shrubs = 0.25 + 0.35 * _ramp(-wet, -0.5, 0.1) + 0.2 * _ramp(-warm, -11, 1.5)
    shrubs = np.clip(shrubs + 0.1 * field("shrubs", 600.0), 0.05, 0.8)
    open_land = (1 - farmed) * (1 - trees)
    layers = np.zeros((lat.size, len(LAYERS)))
    wood = (1 - farmed) * trees
    for index, part in enumerate((
        wood * (1 - conifers) * (1 - evergreen), wood * (1 - conifers) * evergreen,
        wood * conifers * larch, wood * conifers * (1 - larch),
        open_land * shrubs * 0.55, open_land * shrubs * 0.35, open_land * shrubs * 0.02, open_land * shrubs * 0.08,
        open_land * (1 - shrubs) + 0.3 * farmed, 0.7 * farmed,
    )):  # fmt: skip
        layers[:, index] = vegetated * part
    layers[:, LAYERS.index("BUILT")], layers[:, LAYERS.index("WATER")] = built, water
    layers[:, LAYERS.index("SNOWICE")] = ice
    layers[:, LAYERS.index("BARE")] = 1 - layers.sum(axis=1)
    tropical = _ramp(cold, 15, 3)
    ln_age = 4.15 + 0.45 * tropical + 0.35 * _ramp(-mean, 2, 2) + 0.45 * field("history", 700.0)
    sand = (0.52 - soil["theta_s"]) / 0.14
    fertile = -0.18 * (sand - 0.45) / 0.2 + 0.14 * field("parent rock", 500.0)
    wetland = (
        _ramp(field("basins", 350.0) + 0.8 * _ramp(wet, 1.2, 0.2) + 0.6 * _ramp(-mean, -3, 2), 1.7, 0.4)
        * 0.6
        * _ramp(wet, 0.5, 0.1)
    )
    return Landscape(
        layers=layers,
        age_weight=age_weights(ln_age, 0.95, ages),
        nutrient=np.exp(distance * 0.5 * fertile),
        water_table=np.clip(distance * (0.10 + 0.6 * wetland), 0, 0.9),
        harvest=np.clip(distance * (0.45 * layers[:, _CROP] + 0.08) * (layers[:, _GS].sum(axis=1) > 0.05), 0, 0.8),
        disturbance=distance * 0.010 * np.exp(0.7 * field("fires", 800.0)) * (0.5 + _ramp(-wet, -0.9, 0.2)),
        wetland=wetland,
        soil_legacy=np.exp(distance * (0.15 * field("land use history", 600.0) + 0.06)),
        events=distance * np.full(lat.size, 0.05),
        timing=distance * 0.10 * field("species", 900.0),
        breathing=distance * (0.15 + 0.06 * field("microbes", 700.0)),
    )


def age_weights(ln_median: Array, spread: Array | float, ages: Sequence[int]) -> Array:
    """(point, age) log-normal shares, integrated between the geometric midpoints of neighbouring ages."""
    years = np.asarray(ages, dtype=float)
    edges = 0.5 * (np.log(years[1:]) + np.log(years[:-1]))
    z = (edges[None] - np.asarray(ln_median)[:, None]) / np.broadcast_to(spread, np.shape(ln_median))[:, None]
    below = 1 / (1 + np.exp(-1.702 * z))  # logistic close to the normal distribution
    weights = np.diff(below, axis=1, prepend=0.0, append=1.0)
    return weights / weights.sum(axis=1, keepdims=True)


def footprints(region: Landscape, ages: Sequence[int], rng: np.random.Generator, distance: float) -> Landscape:
    """Towers' footprints: purer than their region, of one stand, on their own soil.

    Parameters
    ----------
    region
        Landscape around each tower.
    ages
        Stand ages in years.
    rng
        Source of randomness.
    distance
        ``nature_distance``; at 0 footprints equal their region.
    """
    points = len(region.nutrient)
    share = region.layers[:, _VEGETATION] / region.vegetated[:, None]
    groups = [(0, 1), (2, 3), (4, 5, 6, 7), (8,), (9,)]
    weight = np.stack([share[:, g].sum(axis=1) for g in groups], axis=1) ** 0.8
    weight = np.cumsum(weight / weight.sum(axis=1, keepdims=True), axis=1)
    chosen = (rng.uniform(size=points)[:, None] > weight).sum(axis=1)
    wet = rng.uniform(size=points) < np.clip(region.wetland * 0.7, 0, 0.6)
    wet &= chosen != 4
    chosen = np.where(wet, 3, chosen)
    pure = np.zeros_like(share)
    for index, group in enumerate(groups):
        rows = chosen == index
        inside = share[:, group] + 1e-6
        pure[np.ix_(rows, group)] = (inside / inside.sum(axis=1, keepdims=True))[rows]
    # where both grow, a third of the woods are mixed stands
    mixed = (chosen < 2) & (rng.uniform(size=points) < 0.35)
    both = np.minimum(share[:, 0:2].sum(axis=1), share[:, 2:4].sum(axis=1)) > 0.06
    inside = share[:, 0:4] / (share[:, 0:4].sum(axis=1, keepdims=True) + 1e-9)
    pure[mixed & both, 0:4] = inside[mixed & both]
    purity = np.clip(min(distance, 1.0) * rng.beta(4, 1.6, points), 0, 0.98)[:, None]
    layers = np.zeros_like(region.layers)
    bare = 0.5 * rng.beta(1, 6, points)[:, None] * min(distance, 1.0)
    layers[:, _VEGETATION] = (purity * pure + (1 - purity) * share) * (1 - bare)
    layers[:, LAYERS.index("BARE")] = bare[:, 0]
    crop, open_site = chosen == 4, chosen >= 2
    ln_age = np.log(np.asarray(ages, dtype=float))
    median = region.age_weight @ ln_age + 0.75 * bounded_normal(rng, points) - 0.9 * (open_site & ~wet)
    own = age_weights(median, 0.35, ages)
    mix = min(distance, 1.0)
    forest = chosen < 2
    # fertilised crops and broadleaf woods are rich, peat and conifer stands poor: what a map can partly tell
    habit = 0.10 * crop - 0.12 * wet - 0.04 * (chosen == 1) + 0.05 * (chosen == 0)
    nutrient = region.nutrient * np.exp(distance * (0.09 * bounded_normal(rng, points) + habit))
    harvest = np.where(crop, rng.uniform(0.3, 0.65, points), np.where(forest, 0.0, rng.uniform(0.0, 0.35, points)))
    return Landscape(
        layers=layers,
        age_weight=mix * own + (1 - mix) * region.age_weight,
        nutrient=nutrient,
        water_table=np.clip(np.where(wet, distance * rng.uniform(0.5, 0.85, points), region.water_table), 0, 0.95),
        harvest=np.clip(distance * harvest, 0, 0.8),
        disturbance=region.disturbance * np.where(rng.uniform(size=points) < 0.15, 2.5, 0.6),
        wetland=wet.astype(float),
        soil_legacy=region.soil_legacy * np.exp(distance * (0.50 * bounded_normal(rng, points) - 0.114)),
        events=distance * np.where(crop, 0.22, np.where(forest, 0.07, 0.13)),
        timing=np.clip(
            region.timing + distance * 0.32 * bounded_normal(rng, points) * np.where(crop, 1.4, 1.0), -0.5, 0.5
        ),
        breathing=region.breathing + distance * 0.30 * bounded_normal(rng, points),
    )
