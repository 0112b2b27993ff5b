"""Light use: efficiency of the P-model, light that leaves absorb, and the uptake that follows from both."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dere.knowledge.earlier_months import running_mean
from dere.knowledge.inputs import Inputs

Array = NDArray[np.float64]

GAS_CONSTANT = 8.3145
CARBON = 12.0107
"""g mol-1."""
BETA = 146.0
"""Ratio of the costs of carboxylation and transpiration at 25 degC (Stocker and others 2020)."""
JMAX_COST = 0.41
"""Cost of electron transport, c* (Wang and others 2017)."""
LEAST_VPD = 0.05
"""hPa; drier air than this is never without effect, moister air never has a negative one."""
PPFD = 2.04 * 86400e-6
"""Photons (mol m-2 d-1) per shortwave (W m-2): 2.04 umol J-1 (Meek and others 1984)."""
EXTINCTION = 0.5


def light_use(inputs: Inputs) -> dict[str, Array]:
    """Terms of the group (member, time); those of leaves only with satellites."""
    efficiency = light_use_efficiency(inputs.temperature, inputs.vpd, inputs.pressure, inputs.co2)
    result = {"light_use_efficiency": efficiency}
    light = PPFD * np.maximum(inputs.shortwave, 0.0)
    if inputs.lai is not None:
        result["absorbed_light_lai"] = light * absorbed_share_of_lai(inputs.lai)
    if inputs.evi is not None:
        result["absorbed_light_evi"] = light * absorbed_share_of_evi(inputs.evi)
    for name in ("lai", "evi"):
        if f"absorbed_light_{name}" in result:
            potential = efficiency * result[f"absorbed_light_{name}"]
            result[f"potential_gpp_{name}"] = potential
            for length in (3, 12):
                result[f"potential_gpp_{name}_mean{length}"] = running_mean(potential, length)
    return result


def light_use_efficiency(temperature: Array, vpd: Array, pressure: Array, co2: Array) -> Array:
    """Light-use efficiency of the P-model (gC per mol of absorbed photons).

    Stocker and others 2020 (doi 10.5194/gmd-13-1545-2020) with the quantum yield that depends on temperature
    (Bernacchi and others 2003) and the limit by electron transport of Wang and others 2017. Neither soil moisture nor
    frost lowers it. The kinetics take 0 degC in colder months, the yield takes the temperature as it is.

    Parameters
    ----------
    temperature
        24-hour mean (degC).
    vpd
        hPa, taken as at least 0.05.
    pressure, co2
        kPa and ppm.
    """
    kelvin = np.maximum(temperature, 0.0) + 273.15
    pascal = 1000.0 * pressure
    compensation = 4.332 * pascal / 101325.0 * _arrhenius(37830.0, kelvin)
    carboxylation = 39.97 * _arrhenius(79430.0, kelvin)
    oxygenation = 27480.0 * _arrhenius(36380.0, kelvin)
    michaelis = carboxylation * (1.0 + 0.209476 * pascal / oxygenation)
    viscosity = np.exp(580.0 / (kelvin - 138.0) - 580.0 / (298.15 - 138.0))
    ambient = 1e-6 * co2 * pascal
    dryness = np.sqrt(100.0 * np.maximum(vpd, LEAST_VPD))
    sensitivity = np.sqrt(BETA * (michaelis + compensation) / (1.6 * viscosity))
    inside = (sensitivity * ambient + compensation * dryness) / (sensitivity + dryness)
    limited = (inside - compensation) / (inside + 2.0 * compensation)
    transported = limited * np.sqrt(np.maximum(1.0 - (JMAX_COST / limited) ** (2.0 / 3.0), 0.0))
    return CARBON * quantum_yield(temperature) * transported


def quantum_yield(temperature: Array) -> Array:
    """Intrinsic quantum yield of C3 plants (mol mol-1) at degC (Bernacchi and others 2003); 0 in deep frost."""
    return np.maximum(0.352 + 0.022 * temperature - 0.00034 * temperature**2, 0.0) / 8.0


def absorbed_share_of_lai(lai: Array) -> Array:
    """Share of the light that leaves absorb, by their area (Beer's law)."""
    return 1.0 - np.exp(-EXTINCTION * np.maximum(lai, 0.0))


def absorbed_share_of_evi(evi: Array) -> Array:
    """Share of the light that leaves absorb, by the enhanced vegetation index."""
    return np.clip(1.2 * (evi - 0.05), 0.0, 1.0)


def _arrhenius(energy: float, kelvin: Array) -> Array:
    """Factor relative to 25 degC of a rate with an activation energy (J mol-1)."""
    return np.exp(energy * (kelvin - 298.15) / (298.15 * GAS_CONSTANT * kelvin))
