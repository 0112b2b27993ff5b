"""Inputs of tree models and the Gaussian process: what networks see, plus lags, means and season of each month."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dere.exchange import Exchange
from dere.harmonise.axis import month_number
from dere.harmonise.drivers import is_mask
from dere.knowledge.earlier_months import lagged, running_mean
from dere.knowledge.terms import NAMES as KNOWLEDGE
from dere.training.places import Places
from dere.variables import PLANT_TYPES, SATELLITE

LAGS = (1, 2, 3)
RUNNING_MEANS = (3, 12)
_YEAR = 12
_HOUR, _LAYER = re.compile(r"_h\d\d$"), re.compile(r"_\d$")
"""End of a channel that is one hour of a diurnal cycle, or one layer of the soil."""


def tree_features(places: Places, exchange: Exchange, simulated: bool = False) -> tuple[NDArray[np.float32], list[str]]:
    """Features of every place and month; no flux label is read.

    Drivers at the month, at lags of 1 to 3 months, and as means over the 3 and 12 months that end with it; months
    outside the record are filled as for the networks (the site's own climatology). Diurnal cycles and soil layers
    enter as their mean and range, knowledge channels at the month alone. Then month as sine and cosine (shifted by half
    a year in the south), static attributes, and the plant and vegetated fractions of the year.

    Parameters
    ----------
    places
        Sites or cells; with ``simulated`` series where those are wanted.
    exchange
        What is predicted; its states are the simulation's.
    simulated
        Add the states of the raw process model, and the 12-month means of its fluxes.

    Returns
    -------
    array, names
        (place, time, feature); NaN only where a satellite has no value.
    """
    columns = dict(_columns(places, exchange, simulated))
    return np.stack(list(columns.values()), -1).astype(np.float32), list(columns)


def _columns(places: Places, exchange: Exchange, simulated: bool) -> Iterator[tuple[str, NDArray]]:
    shape = (len(places), len(places.time))
    for name, series in _monthly_series(places):
        yield name, series
        if name in KNOWLEDGE:
            continue
        for lag in LAGS:
            yield f"{name}_lag{lag}", lagged(series, lag)
        for length in RUNNING_MEANS:
            yield f"{name}_mean{length}", running_mean(series, length)
    phase = 2 * np.pi * (month_number(places.time) % _YEAR) / _YEAR
    angle = phase[None] + np.pi * (places.lat[:, None] < 0)
    yield "month_sin", np.sin(angle)
    yield "month_cos", np.cos(angle)
    for i, attribute in enumerate(places.attributes):
        yield attribute, np.broadcast_to(places.static[:, i, None], shape)
    year = _nearest(places.years, month_number(places.time) // _YEAR)
    for i, plant_type in enumerate(PLANT_TYPES):
        yield f"fraction_{plant_type}_of_year", places.fractions[:, year, i]
    yield "vegetated_fraction", places.vegetated[:, year]
    if simulated:
        assert places.simulated is not None
        for i, state in enumerate(exchange.states):
            series = places.simulated[..., i].astype(np.float64)
            yield f"simulated_{state}", series
            if state in exchange.names:
                yield f"simulated_{state}_mean12", running_mean(series, 12)


def _nearest(known: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Position of the year nearest to each wanted one."""
    return np.abs(known[None] - wanted[:, None]).argmin(1)


def _monthly_series(places: Places) -> Iterator[tuple[str, NDArray]]:
    """Every driver as one or two (place, time) series."""
    groups: dict[str, list[int]] = {}
    for channel, name in enumerate(places.driver_names):
        if not is_mask(name):
            groups.setdefault(_LAYER.sub("", _HOUR.sub("_hourly", name)), []).append(channel)
    masks = {name: channel for channel, name in enumerate(places.driver_names) if is_mask(name)}
    for name, channels in groups.items():
        values = np.ascontiguousarray(places.drivers[..., channels])
        if name in SATELLITE:
            # networks get the filled value and the mask, a tree can tell a missing value by itself
            seen = places.drivers[..., masks[f"{name}_mask"]] > 0
            yield name, np.where(seen, values[..., 0], np.nan)
        elif len(channels) == 1:
            if not name.startswith("soil_"):
                yield name, values[..., 0]  # soil properties are constant: their useful part is an attribute
        else:
            yield f"{name}_mean", values.mean(-1)
            yield f"{name}_range", np.ptp(values, axis=-1)
