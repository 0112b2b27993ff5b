"""Synthetic climates for the tests of the process model."""

from __future__ import annotations

import numpy as np

from dere.humidity import saturation_vapour_pressure
from dere.world.forcing import Forcing

# mean T, half annual range, mm d-1, seasonality of rain (+ summer, - winter), SW mean, SW half range, RH, latitude
CLIMATES = {
    "tropical": (26.0, 1.0, 6.0, 0.4, 195.0, 15.0, 0.80, -3.0),
    "savanna": (26.0, 3.5, 2.8, 1.0, 220.0, 20.0, 0.60, 12.0),
    "temperate": (9.5, 9.5, 2.4, 0.1, 135.0, 90.0, 0.74, 47.0),
    "boreal": (-1.0, 18.0, 1.5, 0.4, 110.0, 95.0, 0.72, 61.0),
    "siberia": (-9.0, 27.0, 0.9, 0.6, 110.0, 100.0, 0.68, 63.0),
    "arid": (20.0, 9.0, 0.5, -0.3, 240.0, 70.0, 0.40, 30.0),
    "steppe": (6.0, 14.0, 1.0, 0.4, 165.0, 85.0, 0.58, 48.0),
    "tundra": (-10.0, 19.0, 0.7, 0.4, 90.0, 95.0, 0.78, 70.0),
    "humid_summer": (12.9, 10.4, 2.4, -0.15, 172.0, 98.0, 0.65, 39.0),
}


def climates(names=tuple(CLIMATES), years: int = 10, seed: int = 1, noise: float = 1.0) -> Forcing:
    """Forcing of one member per name, with reproducible year-to-year variability that does not depend on the order."""
    month = np.arange(12 * years)
    phase = np.cos(2 * np.pi * (month - 6.5) / 12)
    rows = []
    for name in names:
        mean, swing, rain, seasonal, light, light_swing, humidity, latitude = CLIMATES[name]
        rng = np.random.default_rng([seed, list(CLIMATES).index(name)])
        weather, wet = noise * rng.normal(size=(2, month.size))
        yearly = np.repeat(noise * rng.normal(size=years), 12)
        temperature = mean + swing * phase + (0.3 + 0.05 * swing) * (weather + 0.5 * yearly)
        precipitation = rain * np.maximum(1 + seasonal * phase, 0.02) * np.exp(0.35 * wet - 0.25 * yearly - 0.06)
        shortwave = np.maximum(light + light_swing * phase, 3.0) * np.exp(-0.05 * wet)
        humid = np.clip(humidity + 0.04 * wet - 0.05 * weather * (humidity < 0.7), 0.15, 0.95)
        saturation = saturation_vapour_pressure(temperature)
        kelvin = temperature + 273.15
        sky = 0.70 + 5.95e-5 * humid * saturation * np.exp(1500 / kelvin)
        rows.append(
            {
                "air_temperature": temperature,
                "precipitation": precipitation,
                "shortwave": shortwave,
                "longwave": np.minimum(sky, 0.97) * 5.67e-8 * kelvin**4,
                "vpd": (1 - humid) * saturation,
                "pressure": np.full(month.size, 98.0),
                "wind": np.full(month.size, 3.0),
                "co2": 372.0 + 2.0 * month / 12,
                "latitude": latitude,
            }
        )
    stacked = {key: np.stack([row[key] for row in rows]) for key in rows[0]}
    return Forcing(**stacked, soil_depth=1500.0)
