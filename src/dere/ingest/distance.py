"""Distances between places on the sphere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

EARTH_RADIUS_KM = 6371.0


def distance_km(lat: NDArray, lon: NDArray) -> NDArray[np.float64]:
    """Great-circle distances (haversine) between all pairs of points in degrees, (point, point)."""
    phi, lam = np.radians(np.asarray(lat, float)), np.radians(np.asarray(lon, float))
    dphi, dlam = phi[:, None] - phi, lam[:, None] - lam
    inner = np.sin(dphi / 2) ** 2 + np.cos(phi)[:, None] * np.cos(phi) * np.sin(dlam / 2) ** 2
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(inner, 0, 1)))
