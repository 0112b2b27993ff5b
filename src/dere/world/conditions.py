"""Everything the process model needs of the forcing that depends on neither stand nor age, computed once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dere.world.forcing import ZERO_CELSIUS, Array, Forcing
from dere.world.parameters import Parameters, Structure
from dere.world.photosynthesis import month_before, potential, spring_lag

_STEFAN_BOLTZMANN = 5.67e-8
_MONTHS = np.arange(12)
_MEMORY_MONTHS = 24


@dataclass(frozen=True)
class Conditions:
    """Monthly and static conditions; axes (time, member) or (time, plant_type, member) unless stated.

    Attributes
    ----------
    days
        (time,) length of the month (d).
    light
        Potential GPP (gC m-2 d-1) per plant type.
    demand
        Potential evapotranspiration (mm month-1).
    rain, snowfall, melt
        Liquid and solid precipitation and the most that can melt (mm month-1).
    thrift
        Factor of CO2 on transpiration.
    phenology
        Share of the full canopy that temperature and day length allow, per plant type.
    warmth
        Factor on maintenance respiration above ground; ``root_warmth`` below.
    decay
        Temperature factor on decomposition.
    growth
        Share of surplus carbon that becomes growth in the month.
    stress
        (plant_type, member) climatic unfitness, 0 to 1.
    c4
        (member,) C4 share of grass.
    upper, lower
        (member,) water capacity of the two layers (mm).
    water_table, disturbance, harvest
        (member,) structural fields.
    """

    days: Array
    light: Array
    demand: Array
    rain: Array
    snowfall: Array
    melt: Array
    thrift: Array
    phenology: Array
    warmth: Array
    root_warmth: Array
    decay: Array
    growth: Array
    stress: Array
    c4: Array
    upper: Array
    lower: Array
    water_table: Array
    disturbance: Array
    harvest: Array


def prepare(forcing: Forcing, parameters: Parameters, structure: Structure) -> Conditions:
    """Derive the conditions of ``forcing``."""
    p = parameters
    days = forcing.days
    temperature = forcing.air_temperature
    before = month_before(temperature)
    light, c4 = potential(forcing, p, structure)
    demand = potential_evapotranspiration(forcing, p)
    if structure.drought_legacy:
        light = light * (1.0 - structure.drought_legacy * drought_memory(forcing, demand)).T[:, None]
    solid = np.clip((2.0 - temperature) / 4.0, 0.0, 1.0)
    water = forcing.precipitation * days
    coldest, warmest = extreme_months(forcing)
    soil = 0.6 * temperature + 0.4 * before
    soil = np.where(soil < 0.0, 0.35 * soil, soil)  # snow and freezing damp the winter
    depth = np.minimum(forcing.soil_depth, p.root_depth)
    upper = np.minimum(p.upper_depth, depth / 2.0)
    frozen = np.where(soil < 0.0, p.frozen_decay, 1.0)
    return Conditions(
        days=days,
        light=np.ascontiguousarray(light),
        demand=_rows(demand * days),
        rain=_rows(water * (1.0 - solid)),
        snowfall=_rows(water * solid),
        melt=_rows(p.melt * np.maximum(temperature, 0.0) * days),
        thrift=_rows((forcing.co2 / p.co2_reference) ** p.co2_thrift),
        phenology=cold_phenology(forcing, coldest, p),
        warmth=_rows(_maintenance(temperature, 0.5 * (temperature + before), p)),
        root_warmth=_rows(_maintenance(soil, soil, p)),
        decay=_rows(frozen * np.exp(p.decay_activation * (1.0 / 56.02 - 1.0 / (np.maximum(soil, -40.0) + 46.02)))),
        growth=_rows(p.growth_rate * np.clip(temperature / 8.0, 0.0, 1.0)),
        stress=climatic_stress(coldest, warmest, p),
        c4=c4,
        upper=p.available_water * upper,
        lower=p.available_water * (depth - upper),
        water_table=_field(structure.water_table, forcing.members),
        disturbance=_field(structure.disturbance, forcing.members),
        harvest=_field(structure.harvest, forcing.members),
    )


def potential_evapotranspiration(forcing: Forcing, parameters: Parameters) -> Array:
    """Priestley-Taylor evapotranspiration (mm d-1), (member, time), never negative; more in dry air."""
    temperature = forcing.air_temperature
    albedo = np.where(temperature < -1.0, parameters.snow_albedo, parameters.albedo)
    emitted = _STEFAN_BOLTZMANN * (temperature + ZERO_CELSIUS) ** 4
    net = (1.0 - albedo) * forcing.shortwave + 0.97 * (forcing.longwave - emitted)
    slope = 4098.0 * 0.6108 * np.exp(17.27 * temperature / (temperature + 237.3)) / (temperature + 237.3) ** 2
    psychrometric = 0.000665 * forcing.pressure
    latent = 2.501e6 - 2361.0 * temperature
    dryness = np.clip(1.0 + parameters.dry_air * (forcing.vpd - parameters.dry_air_from), 1.0, parameters.dry_air_most)
    return np.maximum(
        parameters.priestley_taylor * dryness * slope / (slope + psychrometric) * net * 86400.0 / latent, 0.0
    )


def monthly_climatology(values: Array, forcing: Forcing) -> Array:
    """(member, 12) mean of each calendar month of (member, time) values."""
    return np.stack([values[:, forcing.calendar_month == month].mean(axis=1) for month in _MONTHS], axis=1)


def extreme_months(forcing: Forcing) -> tuple[Array, Array]:
    """(member,) mean temperature (degC) of the coldest and the warmest month of the mean year."""
    climatology = monthly_climatology(forcing.air_temperature, forcing)
    return climatology.min(axis=1), climatology.max(axis=1)


def day_length(latitude: Array, calendar_month: Array) -> Array:
    """Hours of daylight in mid-month, (member, time), for degrees latitude (member,) and months 0-11 (time,)."""
    declination = 0.409 * np.sin(2.0 * np.pi * (calendar_month * 30.44 + 15.0) / 365.0 - 1.39)
    cosine = -np.tan(np.radians(np.clip(latitude, -89.0, 89.0)))[:, None] * np.tan(declination)
    return np.arccos(np.clip(cosine, -1.0, 1.0)) * 24.0 / np.pi


def cold_phenology(forcing: Forcing, coldest: Array, parameters: Parameters) -> Array:
    """Share of the canopy that cold and short days leave, (time, plant_type, member).

    Deciduousness follows the coldest month of the mean year, so that broadleaf trees are deciduous with cold winters
    and evergreen in the tropics; evergreen leaves stay. Buds of trees need weeks of warmth and follow the lagged
    temperature; grass follows the month itself.
    """
    buds = spring_lag(forcing.air_temperature)
    long_day = np.clip((day_length(forcing.latitude, forcing.calendar_month.astype(np.float64)) - 9.5) / 2.0, 0.0, 1.0)
    shares = []
    for kind in range(3):
        low, high = parameters.deciduous_cold[kind]
        deciduous = parameters.deciduous_share[kind] * np.clip((high - coldest) / (high - low), 0.0, 1.0)
        start, full = parameters.flush[kind]
        warm = np.clip(((buds if kind < 2 else forcing.air_temperature) - start) / (full - start), 0.0, 1.0)
        on = warm * long_day if kind < 2 else warm
        shares.append(1.0 - deciduous[:, None] * (1.0 - on))
    return np.ascontiguousarray(np.stack(shares).transpose(2, 0, 1))


def climatic_stress(coldest: Array, warmest: Array, parameters: Parameters) -> Array:
    """Unfitness (0 to 1) of each plant type for its climate, (plant_type, member)."""
    rows = []
    for kind in range(3):
        cold = _sigmoid((parameters.cold_limit[kind] - coldest) / 2.0)
        heat = _sigmoid((coldest - parameters.heat_limit[kind]) / 1.5)
        summer = _sigmoid((parameters.summer_limit[kind] - warmest) / 0.8)
        rows.append(1.0 - (1.0 - cold) * (1.0 - heat) * (1.0 - summer))
    return np.stack(rows)


def drought_memory(forcing: Forcing, demand: Array) -> Array:
    """Memory (0 to 1) of past droughts, (member, time): none in the drought month itself, fading over two years.

    A drought is a six-month water balance below its calendar mean by more than 0.8 standard deviations. What came
    before the record is not known; it is taken for the record's usual memory, which fades in the same way. Starting
    without any would let productivity fall over the first two years of every record.
    """
    balance = forcing.precipitation - demand
    padded = np.concatenate([balance[:, 7:12], balance], axis=1)
    summed = np.lib.stride_tricks.sliding_window_view(padded, 6, axis=1).mean(axis=-1)
    anomaly = summed - monthly_climatology(summed, forcing)[:, forcing.calendar_month]
    spread = np.maximum(anomaly.std(axis=1, keepdims=True), 1e-6)
    drought = np.clip((-anomaly / spread - 0.8) / 1.2, 0.0, 1.0)
    memory = np.zeros_like(drought)
    for lag in range(1, min(_MEMORY_MONTHS, forcing.months - 1) + 1):
        memory[:, lag:] = np.maximum(memory[:, lag:], drought[:, :-lag] * np.exp(-lag / 15.0))
    settled = memory[:, _MEMORY_MONTHS:] if forcing.months >= 2 * _MEMORY_MONTHS else memory
    usual = settled.mean(axis=1, keepdims=True)
    return np.maximum(memory, usual * np.exp(-np.arange(forcing.months) / 15.0))


def _maintenance(temperature: Array, growth_temperature: Array, parameters: Parameters) -> Array:
    return parameters.q10 ** ((temperature - 20.0) / 10.0) * 10.0 ** (
        -parameters.acclimation * (growth_temperature - 20.0)
    )


def _sigmoid(x: Array) -> Array:
    return 0.5 * (1.0 + np.tanh(0.5 * x))


def _rows(values: Array) -> Array:
    return np.ascontiguousarray(values.T)


def _field(value: object, members: int) -> Array:
    return np.array(np.broadcast_to(np.asarray(value, dtype=np.float64), (members,)))
