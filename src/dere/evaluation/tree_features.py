"""Inputs of the tree models: what networks see, plus what a tree cannot work out by itself (lags, means, season)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.harmonise.axis import month_number
from dere.harmonise.drivers import stored_variables
from dere.variables import SATELLITE, TARGETS

LAGS = (1, 2, 3)
RUNNING_MEANS = (3, 12)
_YEAR = 12


def tree_features(towers: xr.Dataset, simulated: bool = False) -> tuple[NDArray[np.float32], list[str]]:
    """Features of every site and month; no flux label is read.

    Drivers at the month, at lags of 1 to 3 months, and as means over the 3 and 12 months that end with it, as the
    networks see them; a satellite that saw nothing is missing, because trees know what to do with that. Diurnal cycles
    and soil layers enter as their mean and range. Then month as sine and cosine (shifted by half a year in the south),
    static attributes, and the plant and vegetated fractions of the year.

    Parameters
    ----------
    towers
        Canonical towers.
    simulated
        Add the ten targets of the raw process model, and the 12-month means of its fluxes.

    Returns
    -------
    array, names
        (site, time, feature); NaN only where a satellite has no value.

    Raises
    ------
    ValueError
        When a driver holds NaN, or the time axis is shorter than a year.
    """
    columns = dict(_columns(towers, simulated))
    return np.stack(list(columns.values()), -1).astype(np.float32), list(columns)


def _columns(towers: xr.Dataset, simulated: bool) -> Iterator[tuple[str, NDArray]]:
    shape = (towers.sizes["site"], towers.sizes["time"])
    for name, series in _monthly_series(towers):
        yield name, series
        for lag in LAGS:
            yield f"{name}_lag{lag}", lagged(series, lag)
        for length in RUNNING_MEANS:
            yield f"{name}_mean{length}", running_mean(series, length)
    phase = 2 * np.pi * (month_number(towers["time"].values) % _YEAR) / _YEAR
    angle = phase[None] + np.pi * (towers["lat"].values[:, None] < 0)
    yield "month_sin", np.sin(angle)
    yield "month_cos", np.cos(angle)
    static = towers["static"].transpose("site", "attribute").values
    for i, attribute in enumerate(towers["attribute"].values.astype(str)):
        yield attribute, np.broadcast_to(static[:, i, None], shape)
    years = towers["time"].dt.year
    fractions = towers["plant_fraction"].sel(year=years, method="nearest").transpose("site", "time", "plant_type")
    for i, plant_type in enumerate(fractions["plant_type"].values.astype(str)):
        yield f"fraction_{plant_type}_of_year", fractions.values[..., i]
    vegetated = towers["vegetated_fraction"].sel(year=years, method="nearest").transpose("site", "time")
    yield "vegetated_fraction", vegetated.values
    if simulated:
        targets = towers["simulated"].transpose("site", "time", "target")
        for target in TARGETS:
            series = targets.sel(target=target).values.astype(np.float64)
            yield f"simulated_{target}", series
            if target in ("gpp", "reco", "nee"):
                yield f"simulated_{target}_mean12", running_mean(series, 12)


def lagged(series: NDArray, lag: int) -> NDArray:
    """Values ``lag`` months earlier; before the axis, the same calendar months of its first year stand in."""
    return _with_year_before(series)[:, _YEAR - lag : _YEAR - lag + series.shape[1]]


def running_mean(series: NDArray, length: int) -> NDArray:
    """Mean over the ``length`` <= 12 months that end with each month, of the finite values."""
    extended = _with_year_before(series)
    finite = np.isfinite(extended)
    total = np.cumsum(np.where(finite, extended, 0.0), axis=1)
    count = np.cumsum(finite, axis=1)
    end = np.arange(_YEAR, extended.shape[1])
    number = count[:, end] - count[:, end - length]
    return (total[:, end] - total[:, end - length]) / np.where(number > 0, number, np.nan)


def _with_year_before(series: NDArray) -> NDArray:
    if series.shape[1] < _YEAR:
        raise ValueError(f"the time axis has {series.shape[1]} months, at least {_YEAR} are needed for lags and means")
    return np.concatenate([series[:, :_YEAR], series], axis=1).astype(np.float64)


def _monthly_series(towers: xr.Dataset) -> Iterator[tuple[str, NDArray]]:
    """Every driver as one or two (site, time) series."""
    for name in stored_variables(str(towers.attrs["driver_set"])):
        variable = towers[name]
        if bool(variable.isnull().any()):
            raise ValueError(f"towers: driver {name} holds NaN, complete drivers are expected; run harmonise again")
        if "time" not in variable.dims:
            continue  # soil properties are constant per site: their useful part is among the static attributes
        # months lie next to each other, so that hours are added in one order however the file was read
        values = np.ascontiguousarray(variable.transpose("site", ..., "time").values)
        if values.ndim == 2:
            yield name, values
        else:
            yield f"{name}_mean", values.mean(1)
            yield f"{name}_range", np.ptp(values, axis=1)
    for name in SATELLITE:
        if name in towers:
            seen = towers[f"{name}_mask"].astype(bool)
            yield name, towers[name].where(seen).transpose("site", "time").values
