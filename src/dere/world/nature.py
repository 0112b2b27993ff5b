"""Nature: the process model with other parameters and with processes that the simulation lacks; the world's truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dere.variables import FLUXES, TARGETS
from dere.world.climate import Climate
from dere.world.fields import generator
from dere.world.landscape import Landscape
from dere.world.parameters import DEFAULT, Parameters, Structure
from dere.world.process_model import simulate

Array = NDArray[np.float64]

# nature's value over the simulation's at nature_distance 1
_RATIOS: dict[str, float | tuple[float, ...]] = {
    "light_use": (1.30, 1.25, 1.35),
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


def _vigour(climate: Climate, events: Array, seed: int) -> Array:
    """(point, time) factor of unforeseen events on productivity; remembers about three months."""
    shape = climate.monthly["air_temperature"].shape
    rng = generator(seed, "events", f"{climate.lat.sum():.6f}")
    shock = rng.normal(size=shape)
    walk = np.empty(shape)
    walk[:, 0] = shock[:, 0]
    for month in range(1, shape[1]):
        walk[:, month] = 0.7 * walk[:, month - 1] + np.sqrt(1 - 0.7**2) * shock[:, month]
    return np.exp(events[:, None] * walk - events[:, None] ** 2 / 2)


def true_fluxes(
    climate: Climate, soil_depth: Array, landscape: Landscape, ages: Sequence[int], seed: int, distance: float
) -> tuple[Array, Array]:
    """True fluxes per vegetated area.

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
        Seed of the spin-up years.
    distance
        ``nature_distance``; at 0 the process model itself, with its own plant fractions.

    Returns
    -------
    tuple
        Fluxes (point, time, flux) in the order of ``FLUXES``, gC m-2 d-1, closed; plant fractions (point, plant_type)
        behind them.
    """
    structure = Structure(
        nutrient=landscape.nutrient,
        water_table=landscape.water_table,
        drought_legacy=float(min(0.35 * distance, 0.8)),
        disturbance=landscape.disturbance,
        harvest=landscape.harvest,
        co2_sensitivity=1.0 + 0.5 * distance,
    )
    twin = distance == 0
    run = simulate(
        climate.forcing(soil_depth),
        ages,
        stands=("mixture",),
        parameters=nature_parameters(distance),
        structure=None if twin else structure,
        fraction=None if twin else landscape.fraction,
        seed=seed,
    )
    index = [TARGETS.index(name) for name in ("gpp", "ra", "rh")]
    state = run["state"].to_numpy()[:, 0][..., index].astype(np.float64)
    gpp, plants, soil = np.moveaxis(np.einsum("patf,pa->ptf", state, landscape.age_weight), -1, 0)
    vigour = _vigour(climate, landscape.events, seed)
    gpp = gpp * vigour
    reco = plants * vigour**0.6 + soil * landscape.soil_legacy[:, None] * vigour**0.2
    fluxes = np.stack([{"gpp": gpp, "reco": reco, "nee": reco - gpp}[name] for name in FLUXES], axis=-1)
    cover = np.einsum("payk,pa->pk", run["plant_fraction"].to_numpy(), landscape.age_weight)
    return fluxes, cover / run.sizes["year"]
