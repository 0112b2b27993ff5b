"""Plausibility of what a file claims: units by their median, coordinates by range and by sunlight."""

from __future__ import annotations

import numpy as np

from dere.variables import VARIABLES, convert

# Bounds of a site's median, tighter than the valid range of a single month, so that a wrong unit shows. The medians
# of 221 real monthly files lie well inside (air temperature -12 to 28 degC, VPD 0.2 to 28 hPa, precipitation up to 8).
MEDIAN_RANGE: dict[str, tuple[float, float]] = {
    "air_temperature": (-45.0, 45.0),
    "precipitation": (0.0, 25.0),
    "shortwave": (5.0, 400.0),
    "longwave": (100.0, 500.0),
    "vpd": (0.0, 45.0),
    "pressure": (45.0, 110.0),
    "wind": (0.0, 15.0),
    "co2": (250.0, 1200.0),
    "nee": (-20.0, 15.0),
    "gpp": (-5.0, 25.0),
    "reco": (-5.0, 25.0),
    "ch4": (-0.02, 1.5),
    "wetland_class": (1.0, 5.0),
    "lai_satellite": (0.0, 9.0),
    "evi_satellite": (-0.2, 1.0),
}
# Of 197 real sites none exceeds the top of the atmosphere by more than 2 W m-2, the weakest correlation beyond 30
# degrees is 0.91, and the lowest ratio of darkest to brightest month relative to the sun's below 30 degrees is 0.50;
# with latitude and longitude exchanged, 105 of the 113 sites that stay on Earth fail.
_EXCESS = 30.0
_TROPICS = 30.0
_SEASONALITY = 0.4
_LIKELY_UNITS: dict[str, tuple[str, ...]] = {
    "air_temperature": ("K",),
    "vpd": ("Pa",),
    "pressure": ("Pa", "hPa"),
    "co2": ("mol mol-1",),
    "precipitation": ("kg m-2 s-1",),
    "nee": ("kgC m-2 yr-1",),
    "ch4": ("nmolCH4 m-2 s-1",),
}


def check_unit(name: str, values: np.ndarray, source: str, column: str) -> None:
    """Check that the median of ``values`` fits the canonical unit of variable ``name``.

    Raises
    ------
    ValueError
        When it does not; names file, column, median, expectation and, where one fits, the unit it looks like.
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return
    low, high = MEDIAN_RANGE[name]
    median = float(np.median(finite))
    if low <= median <= high:
        return
    unit = VARIABLES[name].unit
    guesses = [u for u in _LIKELY_UNITS.get(name, ()) if low <= float(convert(np.array(median), u, unit)) <= high]
    hint = f"it looks like {guesses[0]}: convert it to {unit}" if guesses else f"convert it to {unit}"
    raise ValueError(
        f"{source}: column {column} has median {median:g}, but {low:g} to {high:g} {unit} is expected; {hint}"
    )


def check_coordinates(lat: float, lon: float, source: str) -> None:
    """Check that latitude and longitude in degrees are on Earth.

    Raises
    ------
    ValueError
        When they are not; says so when exchanging the two would help.
    """
    if -90 <= lat <= 90 and -180 <= lon <= 180:
        return
    if -90 <= lon <= 90 and 90 < abs(lat) <= 180:
        remedy = "they look exchanged: correct the columns"
    elif -90 <= lat <= 90 and 180 < lon <= 360:
        remedy = "subtract 360 from the longitude"
    else:
        remedy = "correct them"
    raise ValueError(
        f"{source} has latitude {lat:g} and longitude {lon:g}, but -90..90 and -180..180 are expected; {remedy}"
    )


def daily_top_of_atmosphere(lat: float) -> np.ndarray:
    """Mean extraterrestrial shortwave of the middle day of each month (W m-2), shape (12,).

    Standard daily integral with declination and earth-sun distance by day of year (e.g. Allen et al. 1998, FAO 56,
    eq. 21-25), solar constant 1361 W m-2.
    """
    day = np.array([16, 46, 75, 106, 136, 167, 197, 228, 259, 289, 320, 350])
    angle = 2 * np.pi * day / 365.25
    distance = 1 + 0.033 * np.cos(angle)
    declination = 0.409 * np.sin(angle - 1.39)
    phi = np.deg2rad(lat)
    sunset = np.arccos(np.clip(-np.tan(phi) * np.tan(declination), -1, 1))
    path = sunset * np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.sin(sunset)
    return 1361.0 / np.pi * distance * np.maximum(path, 0.0)


def check_sunlight(lat: float, shortwave: np.ndarray, months: np.ndarray, source: str) -> None:
    """Check that the shortwave record (W m-2) of a site is possible at its latitude.

    Catches a lost minus sign and exchanged coordinates that are still on Earth: no calendar month may be brighter
    than the top of the atmosphere, the seasons beyond 30 degrees must not be opposite to the sun's, and nearer the
    equator not far stronger than the sun's.

    Parameters
    ----------
    lat
        Latitude in degrees.
    shortwave
        Monthly means, NaN missing.
    months
        Month numbers of the same length.
    source
        Site or file for the message.

    Raises
    ------
    ValueError
        When the record contradicts the latitude.
    """
    top = daily_top_of_atmosphere(lat)
    cycle = np.full(12, np.nan)
    for month in range(12):
        chosen = shortwave[(months % 12 == month) & np.isfinite(shortwave)]
        if chosen.size:
            cycle[month] = chosen.mean()
    known = np.isfinite(cycle)
    if known.sum() < 12:
        return
    excess = float((cycle - top).max())
    fault = ""
    if excess > _EXCESS:
        fault = f"it exceeds sunlight by {excess:.0f} W m-2"
    elif abs(lat) > _TROPICS and float(np.corrcoef(cycle, top)[0, 1]) < 0:
        fault = "its seasons are opposite to the sun's"
    elif abs(lat) < _TROPICS and cycle.min() * top.max() < _SEASONALITY * cycle.max() * top.min():
        fault = "its darkest month is too dark for so low a latitude"
    if fault:
        raise ValueError(
            f"{source}: shortwave does not fit latitude {lat:g} ({fault}), but must stay below the top of the "
            "atmosphere and follow its seasons; correct sign or order of the coordinates, or the unit"
        )
