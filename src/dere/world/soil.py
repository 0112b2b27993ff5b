"""Soil of the built-in world: depth to bedrock and hydraulic properties from smooth fields of depth and texture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dere.world.fields import generator, static_field
from dere.world.geography import elevation

Array = NDArray[np.float64]

SOIL_PROPERTIES = ("k_sat", "theta_s", "theta_r", "L", "n", "m", "depth")
"""Order of channels 129-135: mm yr-1, m3 m-3, m3 m-3, -, -, -, mm."""


def soil_at(lat: Array, lon: Array, seed: int) -> dict[str, Array]:
    """Soil properties at points, each (point,), named and ordered as ``SOIL_PROPERTIES``.

    Deep soils fill the lowlands, mountains are shallow; sand drains fast, clay holds water.
    """
    deep = static_field(generator(seed, "soil depth"), lat, lon, 700.0)
    texture = static_field(generator(seed, "texture"), lat, lon, 600.0)
    sand = 0.1 + 0.8 / (1 + np.exp(-1.1 * texture))
    steep = np.clip(elevation(lat, lon) / 3000.0, 0, 1)
    depth = np.clip(1900.0 * np.exp(0.55 * deep - 1.1 * steep), 250.0, 8000.0)
    n = 1.15 + 0.75 * sand**1.5
    return {
        "k_sat": 3.0e5 * 10 ** (1.2 * (sand - 0.2)),
        "theta_s": 0.52 - 0.14 * sand,
        "theta_r": 0.10 - 0.06 * sand,
        "L": 0.5 - 2.0 * (1 - sand),
        "n": n,
        "m": 1 - 1 / n,
        "depth": depth,
    }
