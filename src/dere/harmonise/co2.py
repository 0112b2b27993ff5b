"""A global monthly CO2 record in closed form: trend plus a seasonal cycle that depends on latitude.

Tower CO2 columns carry local respiration, zeros and gaps, so towers never use their own column (docs/data.md#rules).
The trend is a parabola through NOAA's published global annual means (355.4 ppm in 1991, 379.0 in 2005, 412.4 in
2020); it stays within 1.5 ppm of the annual means of 1985-2024. The seasonal cycle peaks in early May in the north
(about 5 ppm half-amplitude at 30 N, 7 ppm in the Arctic) and is weak and reversed in the far south.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dere.harmonise.axis import month_number

_REFERENCE_YEAR = 2005.5
_TREND = (379.0, 1.9469, 0.018653)
_PEAK_YEAR_FRACTION = 0.35
_AMPLITUDE = (3.0, 4.2)


def global_co2(time: NDArray, latitude: NDArray) -> NDArray[np.float64]:
    """CO2 mole fraction of background air.

    Parameters
    ----------
    time
        (time,) datetime64.
    latitude
        (site,) degrees north.

    Returns
    -------
    array
        (site, time) in ppm.
    """
    year = (month_number(time) + 0.5) / 12.0
    since = year - _REFERENCE_YEAR
    trend = _TREND[0] + _TREND[1] * since + _TREND[2] * since**2
    amplitude = _AMPLITUDE[0] + _AMPLITUDE[1] * np.sin(np.radians(np.asarray(latitude, float)))
    return trend + amplitude[:, None] * np.cos(2 * np.pi * (year - _PEAK_YEAR_FRACTION))
