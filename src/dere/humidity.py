"""Humidity of air: saturation over water, and vapour pressure from and to specific humidity."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MOLAR_RATIO = 0.622
"""Of water and dry air (WMO 2008, Guide to Meteorological Instruments, annex 4.B)."""


def saturation_vapour_pressure(temperature: Array) -> Array:
    """Saturation vapour pressure over water (hPa) at degC; Magnus form of Alduchov & Eskridge 1996.

    doi 10.1175/1520-0450(1996)035<0601:IMFAOS>2.0.CO;2
    """
    return 6.1094 * np.exp(17.625 * temperature / (temperature + 243.04))


def vapour_pressure(specific_humidity: Array, pressure: Array) -> Array:
    """Vapour pressure (hPa) from specific humidity (kg kg-1) and pressure (kPa)."""
    return 10 * pressure * specific_humidity / (MOLAR_RATIO + (1 - MOLAR_RATIO) * specific_humidity)


def specific_humidity(vapour: Array, pressure: Array) -> Array:
    """Specific humidity (kg kg-1) from vapour pressure (hPa) and pressure (kPa)."""
    return MOLAR_RATIO * vapour / (10 * pressure - (1 - MOLAR_RATIO) * vapour)
