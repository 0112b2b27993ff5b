"""Potential photosynthesis from the P-model: once per member and month, before leaf area and soil water act."""

from __future__ import annotations

import warnings

import numpy as np
from pyrealm.pmodel import PModel, PModelEnvironment

from dere.humidity import saturation_vapour_pressure
from dere.world.forcing import Array, Forcing
from dere.world.parameters import Parameters, Structure

DAYTIME_SHARE = 0.113
"""Daylight mean minus daily mean temperature per diurnal range: least squares through zero on TA_F_DAY - TA_F of 7647
good months of 55 ICOS towers (Warm Winter 2020), residual 0.59 K; the mean difference is 1.15 K, in June-August
1.26 K. Half a sine would give 0.3, but a summer day has far more than twelve hours of light."""


def daytime(temperature: Array, vpd: Array) -> tuple[Array, Array]:
    """Temperature and VPD of the daylight hours from monthly means.

    Night-time minima approach the dew point (Kimball et al. 1997), so the diurnal range is taken as twice the
    dew-point depression, within 4 to 16 K. The share of it by which daylight is warmer than the whole day is fitted
    (``DAYTIME_SHARE``). Vapour pressure stays constant over the day.

    Parameters
    ----------
    temperature
        Monthly mean (degC), any shape.
    vpd
        Monthly mean (hPa), same shape.

    Returns
    -------
    tuple
        Daytime temperature (degC) and daytime VPD (hPa).
    """
    saturation = saturation_vapour_pressure(temperature)
    vapour = np.maximum(saturation - vpd, 0.05 * saturation)
    logarithm = np.log(vapour / 6.1094)
    dew_point = 243.04 * logarithm / (17.625 - logarithm)
    warm = temperature + DAYTIME_SHARE * np.clip(2.0 * (temperature - dew_point), 4.0, 16.0)
    return warm, saturation_vapour_pressure(warm) - vapour


def light_use_efficiency(forcing: Forcing, co2: Array, frost_limit: float) -> tuple[Array, Array]:
    """C3 and C4 light-use efficiency of the P-model.

    The model is evaluated only where the monthly mean is above ``frost_limit`` (it fails below -25 degC); elsewhere
    the result is zero. Temperatures are never clipped.

    Parameters
    ----------
    forcing
        Monthly forcing.
    co2
        (member, time) effective CO2 (ppm).
    frost_limit
        degC.

    Returns
    -------
    tuple
        Two (member, time) arrays, gC per mol of absorbed photons.
    """
    grows = forcing.air_temperature > frost_limit
    c3, c4 = np.zeros(grows.shape), np.zeros(grows.shape)
    if grows.any():
        warm, dry = daytime(forcing.air_temperature[grows], forcing.vpd[grows])
        one = np.ones(warm.shape)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it announces its default quantum yield with each use
            environment = PModelEnvironment(
                tc=warm,
                vpd=dry * 100.0,
                co2=co2[grows],
                patm=forcing.pressure[grows] * 1000.0,
                fapar=one,
                ppfd=one,
            )
            # beyond about 41 degC with very dry air the optimality solution ends, where the yield has fallen to zero
            c3[grows] = np.maximum(np.nan_to_num(PModel(environment).lue), 0.0)
            c4[grows] = np.maximum(PModel(environment, method_optchi="c4").lue, 0.0)
    return c3, c4


def potential(forcing: Forcing, parameters: Parameters, structure: Structure) -> tuple[Array, Array]:
    """Photosynthesis at full light absorption and moist soil.

    Spring recovery lags: the frost factor sees the lower of this month and a mean with the month before
    (Maekelae et al. 2008).

    Returns
    -------
    tuple
        (time, plant_type, member) potential GPP (gC m-2 d-1), and the (member,) C4 share of grass.
    """
    reference = parameters.co2_reference
    realised = parameters.co2_realised * structure.co2_sensitivity
    co2 = reference + realised * (forcing.co2 - reference)
    c3, c4 = light_use_efficiency(forcing, co2, parameters.frost_limit)
    temperature = forcing.air_temperature
    frost = np.clip((spring_lag(temperature) - parameters.frost_limit) / parameters.cold_ramp, 0.0, 1.0)
    photons = forcing.shortwave * parameters.ppfd_per_shortwave * 86400e-6
    nutrient = np.broadcast_to(np.asarray(structure.nutrient, dtype=np.float64), (forcing.members,))
    scale = photons * frost * nutrient[:, None]
    c3, c4 = c3 * scale, c4 * scale
    annual3, annual4 = c3 @ forcing.days, c4 @ forcing.days
    advantage = annual4 / np.maximum(annual3, 1e-9) - 1.0
    share = 1.0 / (1.0 + np.exp(-parameters.c4_slope * (advantage - parameters.c4_midpoint)))
    tree = c3.T
    grass = tree + share * (c4.T - tree)
    broadleaf, needleleaf, grassy = parameters.light_use
    return np.stack([tree * broadleaf, tree * needleleaf, grass * grassy], axis=1), share


def spring_lag(temperature: Array) -> Array:
    """(member, time) temperature that spring recovery follows: behind a warming month, at once with a cooling one."""
    return np.minimum(temperature, 0.65 * temperature + 0.35 * month_before(temperature))


def month_before(values: Array) -> Array:
    """(member, time) values of the month before; for the first month those of the same calendar month a year later."""
    return np.concatenate([values[:, 11:12], values[:, :-1]], axis=1)
