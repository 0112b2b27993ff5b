"""Quantities of the 136 CarbonGlobe channels: their names, units and clock, wherever they are stored.

Apart from `dere.variables`, because only one driver set needs them: what is added here retrains no other run.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

HOURS = 24
SOIL_LAYERS = 6
SOIL_PROPERTIES = (
    "saturated_conductivity",
    "saturated_water_content",
    "residual_water_content",
    "L",
    "n",
    "m",
    "depth_to_bedrock",
)
DIURNAL = ("specific_humidity_hourly", "air_temperature_hourly", "shortwave_hourly", "wind_hourly")
"""Mean diurnal cycles of weather, in the order in which the published file interleaves them by hour."""
CHANNEL_UNITS: dict[str, str] = {
    "soil_temperature": "degC",
    "co2_hourly": "ppm",
    "disturbance_rate": "yr-1",
    "specific_humidity_hourly": "kg kg-1",
    "air_temperature_hourly": "degC",
    "shortwave_hourly": "W m-2",
    "wind_hourly": "m s-1",
}
"""Units of the quantities that no other driver set has."""
CLOCK = "hours"
"""Attribute of a forcing with diurnal cycles: the clock that all of them follow.

"solar" is solar time to a whole hour of longitude, "utc" is UTC, "unknown" is not known.
"""


def turned(cycles: NDArray, ahead: NDArray[np.int64]) -> NDArray:
    """Diurnal cycles on a clock that is ``ahead`` hours further.

    A mean diurnal cycle is periodic, so that hours that cross midnight stay in their month.

    Parameters
    ----------
    cycles
        (member, ..., 24).
    ahead
        (member,) whole hours.
    """
    hours = (np.arange(HOURS) - ahead[:, None]) % HOURS
    return np.take_along_axis(cycles, hours.reshape(len(cycles), *[1] * (cycles.ndim - 2), HOURS), axis=-1)
