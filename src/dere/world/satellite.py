"""How satellites and the age table see the landscape: with confusion, mixed pixels and a slow apparent trend."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dere.world.landscape import LAYERS, Landscape

Array = NDArray[np.float64]

# share of a layer that is mapped as another: shrubs as grass, woods as shrubs, crops as grass, sparse cover as bare
_CONFUSIONS = (
    ("TREES-BD", "SHRUBS-BD", 0.06),
    ("TREES-BE", "SHRUBS-BE", 0.05),
    ("TREES-BD", "TREES-ND", 0.03),
    ("TREES-NE", "TREES-BD", 0.05),
    ("TREES-ND", "TREES-NE", 0.15),
    ("SHRUBS-BD", "GRASS-NAT", 0.15),
    ("GRASS-MAN", "GRASS-NAT", 0.12),
    ("GRASS-NAT", "GRASS-MAN", 0.08),
    ("GRASS-NAT", "BARE", 0.05),
)


def observed_layers(true_layers: Array, years: int, rng: np.random.Generator, distance: float, error: float) -> Array:
    """Plant-type layers as mapped.

    Parameters
    ----------
    true_layers
        (point, 14) true shares of the land.
    years
        Number of yearly maps.
    rng
        Source of randomness.
    distance
        ``nature_distance``; no error at 0.
    error
        Standard deviation of the relative error of a layer (constant in time; a tenth of it varies by year).

    Returns
    -------
    array
        (point, year, 14) percent, rows sum to 100.
    """
    scale = min(distance, 1.5)
    seen = np.array(true_layers)
    for source, target, share in _CONFUSIONS:
        moved = true_layers[:, LAYERS.index(source)] * share * scale
        seen[:, LAYERS.index(source)] -= moved
        seen[:, LAYERS.index(target)] += moved
    seen = np.clip(seen, 0, None) * np.exp(scale * error * rng.normal(size=seen.shape))
    seen = seen[:, None] * np.exp(0.1 * scale * error * rng.normal(size=(seen.shape[0], years, seen.shape[1])))
    return 100 * seen / seen.sum(axis=-1, keepdims=True)


def tower_pixels(footprint: Landscape, region: Landscape) -> Array:
    """(point, 14) true mean of the pixels at a tower: mostly its footprint, partly the land around."""
    return 0.65 * footprint.layers + 0.35 * region.layers


def observed_ages(true_weight: Array, ages: Sequence[int], rng: np.random.Generator, distance: float) -> Array:
    """Age distribution as tabulated: shifted, smoothed and noisy; rows sum to 1.

    Parameters
    ----------
    true_weight
        (point, age) true shares.
    ages
        Stand ages in years.
    rng
        Source of randomness.
    distance
        ``nature_distance``; no error at 0.
    """
    scale = min(distance, 1.5)
    points = int(true_weight.shape[0])
    ln_age = np.log(np.asarray(ages, dtype=float))
    shift = np.asarray(rng.normal(0, 0.30 * scale, points))
    width = 0.05 + 0.35 * scale
    kernel = np.exp(-0.5 * ((ln_age[None, :, None] - ln_age[None, None, :] - shift[:, None, None]) / width) ** 2)
    kernel /= kernel.sum(axis=1, keepdims=True) + 1e-12
    seen = np.einsum("pts,ps->pt", kernel, true_weight) if scale > 0 else np.array(true_weight)
    seen = seen * np.exp(0.25 * scale * rng.normal(size=seen.shape))
    return seen / seen.sum(axis=1, keepdims=True)
