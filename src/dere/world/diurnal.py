"""Solar geometry and mean diurnal cycles by local solar hour; hour h covers h to h + 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dere.humidity import saturation_vapour_pressure, specific_humidity
from dere.world.forcing import DAYS_IN_MONTH

Array = NDArray[np.float64]

SOLAR_CONSTANT = 1361.0
HOURS = np.arange(24) + 0.5
_SAMPLES = 6


def _cosine_zenith(lat: Array) -> tuple[Array, Array]:
    """(point, 12, 24) mean positive cosine of the zenith angle per hour, and (12,) squared inverse sun distance."""
    day = np.cumsum(DAYS_IN_MONTH) - DAYS_IN_MONTH / 2
    angle = 2 * np.pi * (day - 1) / 365.25
    declination = np.deg2rad(
        0.3963723 - 22.9132745 * np.cos(angle) + 4.0254304 * np.sin(angle) - 0.387205 * np.cos(2 * angle)
        + 0.05196728 * np.sin(2 * angle) - 0.1545267 * np.cos(3 * angle) + 0.08479777 * np.sin(3 * angle)
    )  # fmt: skip  # Spencer 1971, degrees
    distance = 1.00011 + 0.034221 * np.cos(angle) + 0.00128 * np.sin(angle) + 0.000719 * np.cos(2 * angle)
    time = (np.arange(24 * _SAMPLES) + 0.5) / _SAMPLES
    hour_angle = np.deg2rad(15 * (time - 12))
    phi = np.deg2rad(lat)[:, None, None]
    delta = declination[None, :, None]
    cosine = np.sin(phi) * np.sin(delta) + np.cos(phi) * np.cos(delta) * np.cos(hour_angle)[None, None]
    positive = np.maximum(cosine, 0.0).reshape(lat.size, 12, 24, _SAMPLES).mean(axis=-1)
    return positive, distance


def top_of_atmosphere(lat: Array) -> Array:
    """(point, 12) daily mean sunlight at the top of the atmosphere, W m-2."""
    positive, distance = _cosine_zenith(lat)
    return SOLAR_CONSTANT * distance[None] * positive.mean(axis=-1)


def cycles(
    lat: Array,
    temperature: Array,
    humidity: Array,
    shortwave: Array,
    wind: Array,
    pressure: Array,
    co2: Array,
    clear: Array,
    wetness: Array,
) -> dict[str, Array]:
    """Mean diurnal cycles whose 24-hour means are the monthly values.

    Parameters
    ----------
    lat
        (point,) degrees.
    temperature, humidity, shortwave, wind, pressure, co2
        (point, time) monthly means in degC, 1 (relative), W m-2, m s-1, kPa, ppm.
    clear, wetness
        (point, time) transmissivity of the sky and wetness of the ground, 0-1.

    Returns
    -------
    dict
        ``co2``, ``specific_humidity``, ``air_temperature``, ``shortwave``, ``wind``, each (point, time, hour).
    """
    months = temperature.shape[1]
    month = np.arange(months) % 12
    positive, _ = _cosine_zenith(lat)
    mean = positive.mean(axis=-1, keepdims=True)
    shape = np.divide(positive, mean, out=np.zeros_like(positive), where=mean > 1e-6)[:, month]
    sun = shortwave[..., None] * shape

    # Days are warmest near 15 h; dry, clear, sunny months swing most.
    swing = np.clip((1.5 + 0.045 * shortwave) * (0.35 + 0.9 * clear) * (1.25 - 0.55 * wetness), 1.0, 18.0) / 2
    wave = np.cos(2 * np.pi * (HOURS - 15) / 24) + 0.22 * np.cos(4 * np.pi * (HOURS - 14.5) / 24)
    warm = temperature[..., None] + swing[..., None] * (wave - wave.mean())

    saturated = saturation_vapour_pressure(warm)
    vapour = (humidity * saturation_vapour_pressure(temperature))[..., None] * (
        1 + 0.04 * np.cos(2 * np.pi * (HOURS - 10) / 24)
    )
    vapour = np.minimum(vapour, 0.98 * saturated)
    moist = specific_humidity(vapour, pressure[..., None])

    breeze = wind[..., None] * (1 + 0.25 * np.cos(2 * np.pi * (HOURS - 14.5) / 24))
    growing = np.clip(temperature / 15, 0, 1.3) * (0.3 + 0.7 * wetness)
    night = np.cos(2 * np.pi * (HOURS - 4.0) / 24) + 0.3 * np.cos(4 * np.pi * (HOURS - 4.0) / 24)
    air = co2[..., None] + (0.6 + 7.0 * growing)[..., None] * (night - night.mean())
    return {"co2": air, "specific_humidity": moist, "air_temperature": warm, "shortwave": sun, "wind": breeze}
