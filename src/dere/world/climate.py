"""Monthly climate at any point of the built-in world: normals, anomalies with memory and droughts, diurnal cycles.

The formulas are simple and physically linked: sunlight follows solar geometry and the cloudiness that rain implies,
droughts are warm, sunny and dry, vapour never exceeds saturation, pressure follows height. They are drawn by hand
to resemble the Earth's zones; they are no reanalysis.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dere.humidity import saturation_vapour_pressure, vapour_pressure
from dere.variables import MONTHLY8
from dere.world import diurnal, geography
from dere.world.fields import generator, moving_field, static_field
from dere.world.forcing import ZERO_CELSIUS, Forcing

Array = NDArray[np.float64]

STEFAN_BOLTZMANN = 5.670374419e-8
HOT, HEADROOM = 32.0, 4.0
"""Monthly means above 32 degC approach 36 degC."""
CO2_START, CO2_TREND, CO2_START_YEAR = 371.0, 2.05, 2001


@dataclass(frozen=True)
class Climate:
    """Climate of points over whole calendar years, starting in January.

    Parameters
    ----------
    lat, lon, elevation, inland
        (point,) degrees, degrees, m, and 0 (coast) to 1 (deep inland).
    monthly
        The eight monthly drivers, (point, time), canonical units.
    hourly
        Mean diurnal cycles by local solar hour, (point, time, hour): ``co2`` (ppm), ``specific_humidity`` (kg kg-1),
        ``air_temperature`` (degC), ``shortwave`` (W m-2), ``wind`` (m s-1). Their means are the monthly values.
    soil_temperature
        (point, time, layer) degC.
    """

    lat: Array
    lon: Array
    elevation: Array
    inland: Array
    monthly: dict[str, Array]
    hourly: dict[str, Array]
    soil_temperature: Array

    @property
    def climatology(self) -> dict[str, Array]:
        """Mean seasonal cycle of each driver, (point, 12)."""
        return {name: v.reshape(v.shape[0], -1, 12).mean(axis=1) for name, v in self.monthly.items()}

    def forcing(self, soil_depth: Array) -> Forcing:
        """The process model's forcing of all points; ``soil_depth`` (point,) in mm."""
        fields: dict[str, Any] = {**self.monthly, "latitude": self.lat, "soil_depth": soil_depth}
        return Forcing(**fields)


def climate_at(
    lat: Array,
    lon: Array,
    *,
    seed: int,
    years: int,
    start_year: int,
    extra_elevation: Array | float = 0.0,
    warmer: Array | float = 0.0,
    wetter: Array | float = 1.0,
) -> Climate:
    """Climate of points; equal seeds give one weather, whatever the points.

    Parameters
    ----------
    lat, lon
        (point,) degrees.
    seed
        Seed of the weather.
    years, start_year
        Calendar years.
    extra_elevation
        Height above the smooth terrain (m), scalar or (point,).
    warmer, wetter
        Microclimate: offset of temperature (K) and factor of precipitation.
    """
    lat, lon = np.asarray(lat, dtype=float), np.asarray(lon, dtype=float)
    height = np.maximum(geography.elevation(lat, lon) + np.broadcast_to(extra_elevation, lat.shape), 5.0)
    west, east = geography.fetch(lat, lon, -1), geography.fetch(lat, lon, 1)
    around = geography.land_around(lat, lon)
    westerly = 1 / (1 + np.exp(-(np.abs(lat) - 36) / 4))
    inland = np.clip(0.55 * around**2 + 0.45 * (westerly * west + (1 - westerly) * around * east), 0, 1)

    normal = _temperature_normal(lat, lon, height, inland)
    temperature = normal[:, None] + np.broadcast_to(warmer, lat.shape)[:, None, None]
    rain = _precipitation_normal(seed, lat, lon, height, west, east, westerly, temperature[:, 0])
    rain = rain[:, None] * np.broadcast_to(wetter, lat.shape)[:, None, None]
    log_rain = _rain_anomaly(seed, lat, lon, years)
    rain = rain * np.exp(log_rain - 0.5 * log_rain.var())
    warmth = _temperature_anomaly(seed, lat, lon, inland, years)
    season_warm = np.clip((temperature - 5) / 15, -0.4, 1)
    temperature = temperature + warmth - 0.9 * np.clip(log_rain, -1.8, 1.0) * season_warm
    temperature = temperature + 0.03 * (np.arange(years) - years / 2)[None, :, None]
    # The hottest months level off: the P-model is undefined for daytime means much above 41 degC.
    temperature = np.where(temperature > HOT, HOT + HEADROOM * np.tanh((temperature - HOT) / HEADROOM), temperature)
    flat = (lat.size, years * 12)
    return _assemble(
        lat, lon, height, inland, temperature.reshape(flat), rain.reshape(flat), seed=seed, start_year=start_year
    )


def _assemble(
    lat: Array, lon: Array, height: Array, inland: Array, temperature: Array, rain: Array, *, seed: int, start_year: int
) -> Climate:
    months = temperature.shape[1]
    years = months // 12
    month = np.arange(months) % 12
    season = np.cos(2 * np.pi * (month - 6.2) / 12)[None] * np.sign(lat)[:, None]  # +1 in the local summer
    wetness = _wetness(temperature, rain)
    sun = diurnal.top_of_atmosphere(lat)[:, month]
    gloom = 0.11 * np.exp(-(((np.abs(lat) - 58) / 16) ** 2))[:, None] * (1 - 0.35 * season)
    noise = moving_field(generator(seed, "cloud"), lat, lon, 900.0, months, 0.1)
    clear = 0.42 + 0.33 * np.exp(-rain / 4.0) - gloom + 1.5e-5 * height[:, None] + 0.025 * noise
    clear = np.clip(clear, 0.22, 0.80)
    humidity = 0.25 + 0.57 * wetness - 0.04 * inland[:, None] + 0.06 * (temperature < 0)
    damp = moving_field(generator(seed, "vapour"), lat, lon, 900.0, months, 0.3)
    humidity = np.clip(humidity + 0.02 * damp, 0.20, 0.92)
    blow = moving_field(generator(seed, "wind"), lat, lon, 1200.0, months, 0.2)
    gale = (
        3.4
        - 1.0 * inland
        + 1.2 * np.exp(-(((np.abs(lat) - 52) / 14) ** 2))
        + 0.35 * static_field(generator(seed, "gale"), lat, lon, 1000.0)
    )
    wind = np.clip(gale, 1.2, None)[:, None] * (1 - 0.15 * season) * np.exp(0.10 * blow)
    pressure = 101.325 * np.exp(-height[:, None] / (29.27 * (temperature + ZERO_CELSIUS + 0.00325 * height[:, None])))
    pressure = pressure + 0.15 * moving_field(generator(seed, "pressure"), lat, lon, 2500.0, months, 0.2)
    co2 = _co2(lat, years, start_year)
    cycles = diurnal.cycles(lat, temperature, humidity, sun * clear, wind, pressure, co2, clear, wetness)
    vapour = vapour_pressure(cycles["specific_humidity"], pressure[..., None])
    vpd = (saturation_vapour_pressure(cycles["air_temperature"]) - vapour).mean(axis=-1)
    cloud = np.clip((0.78 - clear) / 0.5, 0, 1)
    kelvin = temperature + ZERO_CELSIUS
    emissivity = np.clip(1.24 * (vapour.mean(axis=-1) / kelvin) ** (1 / 7) * (1 + 0.20 * cloud**2), 0.70, 0.98)
    values = {
        "air_temperature": temperature,
        "precipitation": rain,
        "shortwave": sun * clear,
        "longwave": emissivity * STEFAN_BOLTZMANN * kelvin**4,
        "vpd": np.maximum(vpd, 0.0),
        "pressure": pressure,
        "wind": wind,
        "co2": co2,
    }
    monthly = {name: values[name] for name in MONTHLY8}
    return Climate(lat, lon, height, inland, monthly, cycles, _soil_temperature(temperature))


def _temperature_normal(lat: Array, lon: Array, height: Array, inland: Array) -> Array:
    """(point, 12) degC: zonal mean, warm North Atlantic side, lapse rate, and a cycle that grows inland."""
    s = np.abs(np.sin(np.deg2rad(lat)))
    mean = 27.0 - 44.0 * s**2.8
    drift = 8.5 * np.exp(-(((lat - 62) / 13) ** 2) - (((lon - 2) / 28) ** 2))
    pacific = 4.5 * np.exp(-(((lat - 55) / 12) ** 2) - (((lon + 130) / 16) ** 2))
    desert = 3.0 * inland * np.exp(-(((lat - 22) / 11) ** 2))
    mean = mean + (drift + pacific) * (1 - 0.3 * inland) - 0.0055 * height + desert
    swing = 1.0 + s**1.4 * (6.5 + 24.0 * inland**1.2)
    return mean[:, None] + swing[:, None] * np.sign(lat)[:, None] * np.cos(2 * np.pi * (np.arange(12) - 6.2) / 12)


def _precipitation_normal(
    seed: int, lat: Array, lon: Array, height: Array, west: Array, east: Array, westerly: Array, temperature: Array
) -> Array:
    """(point, 12) mm d-1: migrating tropical rain, monsoon, dry subtropics, mid-latitude storm tracks."""
    month = np.arange(12)
    march = np.cos(2 * np.pi * (month - 6.5) / 12)[None]
    asia = np.exp(-(((lon - 100) / 32) ** 2))[:, None]
    centre = 2.0 + (9.5 + 11.0 * asia) * march
    tropical = (8.8 + 2.5 * asia) * np.exp(-(((lat[:, None] - centre) / 11.0) ** 2))
    dry_upwind = np.where(np.abs(lat) < 12, 0.1 * east, 0.9 * east)
    tropical = tropical * (1 - 0.35 * dry_upwind)[:, None]
    summer = np.sign(lat)[:, None] * march
    eastern = 4.2 * np.exp(-(((np.abs(lat) - 31) / 9) ** 2) - (east / 0.6) ** 2) * (west > 0.15)
    subtropical = eastern[:, None] * (1 + 0.35 * summer)
    track = 3.9 * np.exp(-(((np.abs(lat) - 51) / 14) ** 2)) * np.exp(-0.75 * west) * westerly
    winter_rain = np.where(west < 0.5, -0.75 * np.exp(-(((np.abs(lat) - 38) / 7) ** 2)), 0.0) + 0.45 * west
    storms = track[:, None] * (1 + winter_rain[:, None] * summer)
    hold = np.clip(np.exp(0.045 * (temperature - 4)), 0.15, 1.0)  # cold air holds little vapour
    rain = (0.15 + tropical + subtropical + storms * (0.35 + 0.65 * hold)) * (1 + 0.00012 * height[:, None])
    patch = np.exp(0.33 * static_field(generator(seed, "rain patches"), lat, lon, 900.0))
    return rain * patch[:, None]


def _rain_anomaly(seed: int, lat: Array, lon: Array, years: int) -> Array:
    """(point, year, 12) logarithm of the rain factor: months, years, and rare long droughts."""
    months = moving_field(generator(seed, "rain"), lat, lon, 700.0, years * 12, 0.25).reshape(lat.size, years, 12)
    slow = moving_field(generator(seed, "wet years"), lat, lon, 1300.0, years * 12, 0.90).reshape(lat.size, years, 12)
    drought = np.clip(-slow - 1.1, 0, None)
    return 0.30 * months + 0.20 * slow - 0.75 * drought


def _temperature_anomaly(seed: int, lat: Array, lon: Array, inland: Array, years: int) -> Array:
    """(point, year, 12) K, larger inland, far from the equator and in winter."""
    months = moving_field(generator(seed, "warmth"), lat, lon, 1400.0, years * 12, 0.35).reshape(lat.size, years, 12)
    slow = moving_field(generator(seed, "warm years"), lat, lon, 2500.0, years * 12, 0.93).reshape(lat.size, years, 12)
    s = np.abs(np.sin(np.deg2rad(lat)))[:, None, None]
    winter = -np.sign(lat)[:, None, None] * np.cos(2 * np.pi * (np.arange(12) - 6.2) / 12)
    size = 0.45 + s * (1.0 + 0.9 * inland[:, None, None]) * (1 + 0.35 * winter)
    return size * months + 0.4 * slow


def _wetness(temperature: Array, rain: Array) -> Array:
    """(point, time) 0-1 memory of rain against evaporative demand over about three months."""
    demand = 0.7 + 0.16 * np.clip(temperature, 0, None)
    ratio = rain / demand
    start = ratio.reshape(ratio.shape[0], -1, 12).mean(axis=1)
    memory = start.mean(axis=1)
    for month in range(12):
        memory = 0.5 * memory + 0.5 * start[:, month]
    wet = np.empty_like(ratio)
    for month in range(ratio.shape[1]):
        memory = 0.5 * memory + 0.5 * np.minimum(ratio[:, month], 4.0)
        wet[:, month] = memory
    return 1 - np.exp(-wet / 0.45)


def _co2(lat: Array, years: int, start_year: int) -> Array:
    """(point, time) ppm: rise of about 2 ppm a year and the seasonal cycle of the latitude."""
    time = np.arange(years * 12)
    base = CO2_START + CO2_TREND * (start_year - CO2_START_YEAR + (time + 0.5) / 12)
    north = np.clip(np.sin(np.deg2rad(lat)), -0.3, None)
    wave = np.cos(2 * np.pi * (time % 12 - 3.8) / 12) + 0.35 * np.cos(4 * np.pi * (time % 12 - 4.4) / 12)
    return base[None] + (0.8 + 6.5 * np.clip(north, 0, None) ** 1.2 - 1.6 * (north < 0))[:, None] * wave[None]


def _soil_temperature(temperature: Array) -> Array:
    """(point, time, layer) degC: each layer lags the air; snow keeps cold ground warmer."""
    years = temperature.shape[1] // 12
    ground = np.where(temperature < 0, 0.45 * temperature, temperature)
    normal = ground.reshape(ground.shape[0], years, 12).mean(axis=1)
    layers = []
    for months in (0.15, 0.4, 0.9, 2.0, 4.5, 16.0):  # response times of layers centred at 0.05 to 8 m
        keep = np.exp(-1 / months)
        value = normal.mean(axis=1)
        for month in np.tile(np.arange(12), 3):
            value = keep * value + (1 - keep) * normal[:, month]
        course = np.empty_like(ground)
        for month in range(ground.shape[1]):
            value = keep * value + (1 - keep) * ground[:, month]
            course[:, month] = value
        layers.append(course)
    return np.stack(layers, axis=-1)
