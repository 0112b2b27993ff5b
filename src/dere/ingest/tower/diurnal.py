"""Mean diurnal cycles of half-hourly or hourly weather under FLUXNET names."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.humidity import saturation_vapour_pressure, specific_humidity
from dere.ingest.tables import numeric
from dere.ingest.tower.aggregate import full_steps, mean_diurnal_cycles
from dere.ingest.tower.fluxnet_columns import CO2, DRIVERS
from dere.ingest.tower.steps import Steps


def diurnal_cycles(
    table: pd.DataFrame, steps: Steps, minimum_coverage: float, source: str
) -> dict[str, NDArray[np.float64]]:
    """Mean diurnal cycles of half-hourly or hourly weather, hours in local standard time.

    Each quantity comes from the filled column, or from the reanalysis column where the file has no filled value.

    Returns
    -------
    dict
        Names of ``record.DIURNAL_VARIABLES`` to (month, 24); left out where the file has no value.
    """
    weather = {}
    for name in ("air_temperature", "vpd", "pressure", "shortwave", "wind"):
        filled, _, reanalysis = DRIVERS[name]
        values = numeric(table, filled, source)
        weather[name] = values if np.isfinite(values).any() else numeric(table, reanalysis, source)
    co2 = numeric(table, CO2, source)
    quantities = {
        "specific_humidity_hourly": humidity_of(weather["air_temperature"], weather["vpd"], weather["pressure"]),
        "air_temperature_hourly": weather["air_temperature"],
        "shortwave_hourly": weather["shortwave"],
        "wind_hourly": weather["wind"],
        # a mole fraction of zero is a gap that a compiler wrote as a number
        "co2_hourly": np.where(co2 == 0, np.nan, co2),
    }
    full = full_steps(np.unique(steps.month), steps.per_day)
    return {
        name: mean_diurnal_cycles(steps.month, steps.hour, values, full, minimum_coverage)[1]
        for name, values in quantities.items()
        if np.isfinite(values).any()
    }


def humidity_of(temperature: NDArray, vpd: NDArray, pressure: NDArray) -> NDArray:
    """Specific humidity (kg kg-1) from air temperature (degC), VPD (hPa) and pressure (kPa)."""
    vapour = saturation_vapour_pressure(temperature) - vpd
    vapour = np.where(vapour < 0, np.nan, vapour)  # more deficit than there is to lack: one of the two is wrong
    return specific_humidity(vapour, pressure)
