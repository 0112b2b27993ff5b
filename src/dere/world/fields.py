"""Smooth random fields on the sphere that can be read at any point, so that cells and towers share one weather."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

EARTH_RADIUS_KM = 6371.0
_FEATURES = 96


def generator(seed: int, *names: str) -> np.random.Generator:
    """Independent random stream for a named purpose: adding a stream never shifts the others."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


def unit_vectors(lat: Array, lon: Array) -> Array:
    """(point, 3) unit vectors of positions in degrees."""
    phi, lam = np.deg2rad(lat), np.deg2rad(lon)
    return np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=-1)


def distance_km(lat: Array, lon: Array, other_lat: Array, other_lon: Array) -> Array:
    """(point, other) great-circle distances in km."""
    chord = np.linalg.norm(unit_vectors(lat, lon)[:, None] - unit_vectors(other_lat, other_lon)[None], axis=-1)
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.clip(chord / 2, 0, 1))


def _waves(rng: np.random.Generator, lat: Array, lon: Array, length_km: float) -> Array:
    """(point, feature) random cosine waves whose sum has a squared-exponential covariance of that length."""
    number = rng.normal(0, EARTH_RADIUS_KM / length_km, (3, _FEATURES))
    phase = rng.uniform(0, 2 * np.pi, _FEATURES)
    return np.sqrt(2 / _FEATURES) * np.cos(unit_vectors(lat, lon) @ number + phase)


def static_field(rng: np.random.Generator, lat: Array, lon: Array, length_km: float) -> Array:
    """(point,) field of about zero mean and unit variance over the sphere."""
    return _waves(rng, lat, lon, length_km) @ rng.normal(size=_FEATURES)


def moving_field(
    rng: np.random.Generator, lat: Array, lon: Array, length_km: float, steps: int, memory: float
) -> Array:
    """(point, step) field as ``static_field`` that follows a first-order autoregression in time.

    Parameters
    ----------
    rng
        Source of randomness.
    lat, lon
        (point,) degrees.
    length_km
        Length scale of the spatial correlation.
    steps
        Number of time steps.
    memory
        Correlation of neighbouring steps, 0 to below 1.
    """
    waves = _waves(rng, lat, lon, length_km)
    shock = rng.normal(size=(steps, _FEATURES))
    weight = np.empty_like(shock)
    weight[0] = shock[0]
    for step in range(1, steps):
        weight[step] = memory * weight[step - 1] + np.sqrt(1 - memory**2) * shock[step]
    return waves @ weight.T


def bounded_normal(rng: np.random.Generator, size: int | tuple[int, ...]) -> Array:
    """Standard normal draws of which those beyond two standard deviations count as two; one draw per element."""
    return np.clip(rng.normal(size=size), -2.0, 2.0)
