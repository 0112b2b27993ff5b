"""Monthly forcing of the process model: canonical units, checked on construction, and its perturbations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dere.humidity import saturation_vapour_pressure
from dere.variables import MONTHLY8, VARIABLES

Array = NDArray[np.float64]

DAYS_IN_MONTH = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
"""Mean length of the calendar months (d)."""

ZERO_CELSIUS = 273.15

# Beyond these a value is taken for a wrong unit; the narrower valid ranges of the variable table are only counted.
_POSSIBLE: dict[str, tuple[float, float, str]] = {
    "air_temperature": (-90.0, 65.0, "K instead of degC"),
    "precipitation": (0.0, 150.0, "mm per month instead of mm d-1"),
    "shortwave": (0.0, 600.0, "MJ or a daily sum instead of W m-2"),
    "longwave": (40.0, 700.0, "a net flux or a daily sum instead of W m-2"),
    "vpd": (0.0, 120.0, "Pa instead of hPa"),
    "pressure": (40.0, 115.0, "hPa or Pa instead of kPa"),
    "wind": (0.0, 60.0, "km h-1 instead of m s-1"),
    "co2": (150.0, 2500.0, "mol mol-1 instead of ppm"),
}


@dataclass(frozen=True)
class Forcing:
    """Monthly forcing of independent members (cells, sites or perturbed copies of them).

    Parameters
    ----------
    air_temperature, precipitation, shortwave, longwave, vpd, pressure, wind, co2
        (member, time) in degC, mm d-1, W m-2, W m-2, hPa, kPa, m s-1, ppm; at least twelve months, no gaps.
    latitude
        (member,) degrees north, or a scalar.
    soil_depth
        (member,) mm, or a scalar.
    start_month
        Calendar month (1-12) of the first time step.

    Raises
    ------
    ValueError
        On unequal shapes, gaps, or values that only a wrong unit explains.
    """

    air_temperature: Array
    precipitation: Array
    shortwave: Array
    longwave: Array
    vpd: Array
    pressure: Array
    wind: Array
    co2: Array
    latitude: Array
    soil_depth: Array
    start_month: int = 1

    def __post_init__(self) -> None:
        """Convert to float64 and check."""
        for item in fields(self):
            if item.name != "start_month":
                object.__setattr__(self, item.name, np.asarray(getattr(self, item.name), dtype=np.float64))
        shape = self.air_temperature.shape
        if len(shape) != 2 or shape[1] < 12 or shape[0] < 1:
            raise ValueError(
                f"forcing 'air_temperature' has shape {shape}, expected (member, time) with at least one member and "
                "12 months; extend short records with their climatology"
            )
        if not 1 <= self.start_month <= 12:
            raise ValueError(f"forcing 'start_month' is {self.start_month}, expected 1 to 12; give the calendar month")
        for name in MONTHLY8:
            _check_monthly(name, getattr(self, name), shape)
        for name, low, high in (("latitude", -90.0, 90.0), ("soil_depth", 10.0, 1e5)):
            value = np.array(np.broadcast_to(getattr(self, name), shape[:1]))
            object.__setattr__(self, name, value)
            if not ((value >= low) & (value <= high)).all():
                raise ValueError(
                    f"forcing '{name}' spans {value.min():g} to {value.max():g}, expected {low:g} to {high:g} "
                    f"{'degrees' if name == 'latitude' else 'mm'} without gaps; check its unit"
                )

    @property
    def members(self) -> int:
        """Number of members."""
        return int(self.air_temperature.shape[0])

    @property
    def months(self) -> int:
        """Number of months."""
        return int(self.air_temperature.shape[1])

    @property
    def calendar_month(self) -> NDArray[np.int64]:
        """(time,) calendar month as 0 (January) to 11."""
        return (np.arange(self.months) + self.start_month - 1) % 12

    @property
    def days(self) -> Array:
        """(time,) length of each month (d)."""
        return DAYS_IN_MONTH[self.calendar_month]

    def take(self, members: ArrayLike) -> Forcing:
        """The members at the given indices, in that order; repeats are allowed."""
        index = np.asarray(members)
        return self._map(lambda value: value[index])

    def perturbed(
        self,
        temperature: ArrayLike = 0.0,
        precipitation: ArrayLike = 1.0,
        vpd: ArrayLike = 1.0,
        co2: ArrayLike = 1.0,
        soil_depth: ArrayLike = 1.0,
    ) -> Forcing:
        """A consistently changed copy.

        Warming keeps relative humidity, so that VPD follows saturation (Clausius-Clapeyron) before ``vpd`` acts, and
        keeps the emissivity of the sky, so that long-wave radiation follows the fourth power of temperature.

        Parameters
        ----------
        temperature
            Warming (K); scalar or (member,), as all others.
        precipitation, vpd, co2, soil_depth
            Factors.
        """

        def column(value: ArrayLike) -> Array:
            return np.broadcast_to(np.asarray(value, dtype=np.float64), (self.members,))[:, None]

        warmed = self.air_temperature + column(temperature)
        moister = saturation_vapour_pressure(warmed) / saturation_vapour_pressure(self.air_temperature)
        sky = ((warmed + ZERO_CELSIUS) / (self.air_temperature + ZERO_CELSIUS)) ** 4
        return replace(
            self,
            air_temperature=warmed,
            precipitation=self.precipitation * column(precipitation),
            vpd=self.vpd * moister * column(vpd),
            longwave=self.longwave * sky,
            co2=self.co2 * column(co2),
            soil_depth=self.soil_depth * column(soil_depth)[:, 0],
        )

    def _map(self, function: Any) -> Forcing:
        changed = {f.name: function(getattr(self, f.name)) for f in fields(self) if f.name != "start_month"}
        return replace(self, **changed)


def concatenate(forcings: Sequence[Forcing]) -> Forcing:
    """Join members of forcings that share their months, for example the runs of a factorial.

    Raises
    ------
    ValueError
        When lengths or start months differ, or nothing is given.
    """
    if len({(f.months, f.start_month) for f in forcings}) != 1:
        raise ValueError(
            "forcings to concatenate have (months, start_month) "
            f"{sorted({(f.months, f.start_month) for f in forcings})}, expected one pair; put them on one time axis"
        )
    joined = {
        item.name: np.concatenate([getattr(f, item.name) for f in forcings])
        for item in fields(Forcing)
        if item.name != "start_month"
    }
    return Forcing(**joined, start_month=forcings[0].start_month)


def _check_monthly(name: str, value: Array, shape: tuple[int, ...]) -> None:
    if value.shape != shape:
        raise ValueError(
            f"forcing '{name}' has shape {value.shape}, expected {shape} as air_temperature; align the members"
        )
    gaps = int((~np.isfinite(value)).sum())
    if gaps:
        raise ValueError(
            f"forcing '{name}' has {gaps} missing values of {value.size}, expected none; fill the gaps first"
        )
    low, high, suspicion = _POSSIBLE[name]
    if value.min() < low or value.max() > high:
        raise ValueError(
            f"forcing '{name}' spans {value.min():g} to {value.max():g}, expected within {low:g} to {high:g} "
            f"{VARIABLES[name].unit}; the values look like {suspicion}: convert them"
        )
