"""Forcing of the CarbonGlobe layout: docs/data.md#the-136-channels, or eight monthly drivers beside them."""

from __future__ import annotations

import numpy as np
import xarray as xr

from dere.channels import CHANNEL_UNITS, DIURNAL, HOURS
from dere.ingest.checks import check_unit
from dere.ingest.months import days_in_month
from dere.ingest.possible import require_possible
from dere.variables import MONTHLY8, VARIABLES, RangeTally, convert

CHANNELS = 136
_SOIL_TEMPERATURE = slice(2, 8)
_CO2 = slice(8, 32)
_DISTURBANCE = 32
_DIURNAL = 33
SOIL = slice(129, CHANNELS)
_NIGHT_HOURS = 4

# far beyond any climate or soil, so that only another quantity, unit or mark of missing values falls outside; a filter
# of the forcing's authors may leave small negative numbers
_LIMITS: dict[str, tuple[int | slice, float, float]] = {
    "1 (precipitation, mm)": (1, -1.0, 1e4),
    "8-31 (CO2, ppm)": (_CO2, 100.0, 3000.0),
    "32 (disturbance rate, yr-1)": (_DISTURBANCE, 0.0, 1.0),
    "33+4h (specific humidity, kg kg-1)": (slice(_DIURNAL, SOIL.start, 4), -1e-3, 0.2),
    "35+4h (shortwave, W m-2)": (slice(_DIURNAL + 2, SOIL.start, 4), -5.0, 1500.0),
    "36+4h (wind, m s-1)": (slice(_DIURNAL + 3, SOIL.start, 4), 0.0, 150.0),
    "129-135 (soil)": (SOIL, -100.0, 1e8),
}


def diurnal_channels(position: int) -> slice:
    """Channels of diurnal quantity ``position`` of ``DIURNAL``, hour 0 to 23."""
    return slice(_DIURNAL + position, _DIURNAL + 4 * HOURS, 4)


def check_channels(channels: np.ndarray, lat: np.ndarray, source: str, first_cell: int = 0) -> None:
    """Check the order of the channels and the units by what only the right order gives.

    Temperatures must be kelvin, and between 50 degrees south and north shortwave must be zero for some hours of
    every day: reading four blocks of 24 hours instead of interleaved ones fails.

    Parameters
    ----------
    channels
        Shape (cell, year, 12, 136).
    lat
        Latitude of the cells, shape (cell,).
    source
        File name for messages.
    first_cell
        Index of the first cell, for messages on a block of a larger array.

    Raises
    ------
    ValueError
        When a channel is not what its place says, beyond what is possible, or not finite.
    """
    complete = np.isfinite(channels).all(axis=(1, 2, 3))
    if not complete.all():
        cell = first_cell + int(np.flatnonzero(~complete)[0])
        raise ValueError(
            f"{source}: cell {cell} holds NaN or infinite drivers, but every land cell needs all {CHANNELS} channels; "
            "fill them or remove the cell from mask2d.npy"
        )
    kelvin = {"0 (air temperature)": channels[..., 0], "2-7 (soil temperature)": channels[..., _SOIL_TEMPERATURE]}
    kelvin["34+4h (hourly air temperature)"] = channels[..., diurnal_channels(1)]
    for name, values in kelvin.items():
        low, high = float(values.min()), float(values.max())
        if low < 170 or high > 345:
            raise ValueError(
                f"{source}: channel {name} reaches {low:g} to {high:g}, but temperatures are in K within 170 to 345; "
                "correct the unit or the order of the channels"
            )
    for name, (part, low, high) in _LIMITS.items():
        values = channels[..., part]
        if float(values.min()) < low or float(values.max()) > high:
            raise ValueError(
                f"{source}: channel {name} reaches {float(values.min()):g} to {float(values.max()):g}, but {low:g} to "
                f"{high:g} is possible; fill missing values, or correct the unit or the order of the channels"
            )
    low_latitude = np.abs(lat) < 50
    if low_latitude.any():
        shortwave = np.sort(channels[low_latitude][..., diurnal_channels(2)], axis=-1)
        if shortwave[..., _NIGHT_HOURS - 1].max() > 5 or np.median(shortwave[..., -1]) < 20:
            raise ValueError(
                f"{source}: channels 35+4h (shortwave) are up to {shortwave[..., _NIGHT_HOURS - 1].max():g} W m-2 in "
                f"the {_NIGHT_HOURS} darkest hours and {np.median(shortwave[..., -1]):g} at midday, but nights must be "
                "dark and days bright; the four diurnal quantities must be interleaved by hour"
            )


def parse_channels(
    channels: np.ndarray, first_month: int, source: str, tally: RangeTally | None = None
) -> dict[str, xr.Variable]:
    """Canonical variables of the 136 channels.

    Parameters
    ----------
    channels
        Shape (cell, year, 12, 136); a memory map will do.
    first_month
        Month number of the first.
    source
        File name for messages.
    tally
        Takes the values outside their ranges of a block of a larger file; None = they are logged here.

    Returns
    -------
    dict
        Variables of the driver set ``carbonglobe136`` by canonical name, float32, temperatures in degC,
        precipitation in mm d-1.
    """
    cells, years = channels.shape[:2]
    count = years * 12

    def months(values: np.ndarray) -> np.ndarray:
        return np.asarray(values, dtype=np.float32).reshape(cells, count, *values.shape[3:])

    days = days_in_month(first_month, count).astype(np.float32)
    monthly = {
        "air_temperature": convert(months(channels[..., 0]), "K", "degC"),
        "precipitation": months(channels[..., 1]) / days,
    }
    counted = RangeTally() if tally is None else tally
    for name, values in monthly.items():
        check_unit(name, values, source, f"channel {list(monthly).index(name)}")
        require_possible(name, values, source, "fill marks of missing values, or correct the unit")
        counted.add(name, values)
    if tally is None:
        counted.report(source)
    hourly = {
        "co2_hourly": months(channels[..., _CO2]),
        **{name: months(channels[..., diurnal_channels(i)]) for i, name in enumerate(DIURNAL)},
    }
    hourly["air_temperature_hourly"] = convert(hourly["air_temperature_hourly"], "K", "degC")
    soil_temperature = convert(months(channels[..., _SOIL_TEMPERATURE]), "K", "degC")
    return {
        **{name: xr.Variable(("cell", "time"), v, VARIABLES[name].attrs) for name, v in monthly.items()},
        "soil_temperature": _variable("soil_temperature", ("cell", "time", "layer"), soil_temperature),
        "disturbance_rate": _variable("disturbance_rate", ("cell", "time"), months(channels[..., _DISTURBANCE])),
        **{name: _variable(name, ("cell", "time", "hour"), v) for name, v in hourly.items()},
    }


def _variable(name: str, dims: tuple[str, ...], values: np.ndarray) -> xr.Variable:
    """Variable with the attributes of a channel that only this driver set has."""
    return xr.Variable(
        dims, values.astype(np.float32), {"long_name": name.replace("_", " "), "units": CHANNEL_UNITS[name]}
    )


def parse_soil(channels: np.ndarray) -> xr.Variable:
    """Soil properties (cell, soil_property) of the first month; they do not change in time."""
    values = np.array(channels[:, 0, 0, SOIL], dtype=np.float32)
    return xr.Variable(("cell", "soil_property"), values, {"long_name": "soil properties (mm yr-1, m3 m-3, 1, mm)"})


def parse_monthly8(
    monthly: xr.Dataset, cells: int, months: int, source: str, tally: RangeTally | None = None
) -> dict[str, xr.Variable]:
    """Canonical variables of the eight monthly drivers, converted by their ``units`` attribute.

    Parameters
    ----------
    monthly
        The eight names of ``MONTHLY8`` with dims cell and time in any order.
    cells, months
        Expected sizes.
    source
        File name for messages.
    tally
        As for ``parse_channels``.

    Raises
    ------
    ValueError
        A missing driver or unit, an unknown unit, wrong sizes, NaN, an implausible median, an impossible value.
    """
    found: dict[str, xr.Variable] = {}
    counted = RangeTally() if tally is None else tally
    missing = [name for name in MONTHLY8 if name not in monthly]
    if missing:
        raise ValueError(
            f"{source} has no variable {', '.join(missing)}, but the driver set monthly8 needs all of "
            f"{', '.join(MONTHLY8)}; add it or choose driver_set: carbonglobe136"
        )
    for name in MONTHLY8:
        variable = monthly[name]
        if set(variable.dims) == {"cell", "time"}:
            variable = variable.transpose("cell", "time")
        if variable.dims != ("cell", "time") or variable.shape != (cells, months):
            raise ValueError(
                f"{source}: {name} has shape {dict(variable.sizes)}, but cell: {cells}, time: {months} are needed; "
                "write one value per land cell and month"
            )
        if variable.dtype.kind not in "fiu":
            raise ValueError(
                f"{source}: {name} holds {variable.dtype}, but numbers are needed; write it again as floats"
            )
        if "units" not in variable.attrs:
            unit = VARIABLES[name].unit
            raise ValueError(f"{source}: {name} has no units attribute, but e.g. '{unit}' is needed; add it")
        source_unit = str(variable.attrs["units"])
        values = convert(variable.to_numpy(), source_unit, VARIABLES[name].unit, f"{source}: {name}")
        if not np.isfinite(values).all():
            bad = int((~np.isfinite(values)).sum())
            raise ValueError(f"{source}: {name} has {bad} NaN or infinite values, but none is allowed; fill them")
        check_unit(name, values, source, name)
        require_possible(name, values, source, "fill marks of missing values, or correct the units attribute")
        counted.add(name, values)
        found[name] = xr.Variable(("cell", "time"), values.astype(np.float32), VARIABLES[name].attrs)
    if tally is None:
        counted.report(source)
    return found
