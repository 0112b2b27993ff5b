"""A tower's own weather in the 136 channels, where the tower has it; the covering cell's elsewhere.

Each quantity is decided by itself and for the whole record, so that no series is spliced of two places:

- monthly air temperature and precipitation: the tower's (reanalysis column first, as in `gaps`);
- a mean diurnal cycle: the tower's own, turned from its standard time to the clock of the cells, where both are known;
  else, for temperature, shortwave and wind, the shape of the cell's cycle with the tower's monthly mean (temperature is
  shifted, the others are scaled);
- else the cell's.

Cycles turn by whole hours: where the clocks differ by another number (India at 5.5 h, solar time), at most half an hour
remains.

Months without a value take the tower's own climatology, flagged and counted, up to a share of the record; a quantity
that lacks more is the cell's. CO2 stays the cell's, because a tower's column carries local respiration, and so do soil
temperatures (other depths), disturbance and soil.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.channels import DIURNAL, HOURS, turned
from dere.harmonise.axis import month_number, monthly_climatology
from dere.harmonise.gaps import Completed, count_months, preferred_column

log = logging.getLogger(__name__)

MONTHLY = ("air_temperature", "precipitation")
SHIFTED = frozenset({"air_temperature_hourly"})
"""Cycles that take a monthly mean by a shift; the others are scaled, which keeps nights dark and winds positive."""
_WITH_MEAN = frozenset({"air_temperature_hourly", "shortwave_hourly", "wind_hourly"})
# below this the cell's mean says nothing about the shape of a day (polar night, W m-2; calm, m s-1)
_LEAST_MEAN = {"shortwave_hourly": 1.0, "wind_hourly": 0.1}
_LARGEST_FACTOR = 5.0


def with_own_weather(completed: Completed, raw: xr.Dataset, maximum_gap: float, clock: str) -> Completed:
    """Replace drivers of the covering cell by the towers' own.

    Parameters
    ----------
    completed
        From `cells.drivers_from_cells`: drivers (site, time[, hour]), NaN outside ``record``.
    raw
        Interim towers of the same sites or more: monthly columns and, where read, diurnal cycles (site, time, hour)
        in hours of local standard time; coordinates ``lon`` and ``utc_offset`` (h; NaN = cycles are not used).
    maximum_gap
        Largest share of a record's months that the tower's climatology may fill in one quantity.
    clock
        That of the cells' cycles, see `dere.channels.CLOCK`; with ``unknown`` no tower's cycles are used.

    Returns
    -------
    Completed
        Drivers with own quantities where the towers have them; ``driver_filled`` marks months in which a weather
        quantity is climatology or the cell's. ``counts`` has per quantity "tower", "tower's mean, covering cell's
        cycle", "climatology" or "covering cell"; what always stays the cell's has "other channels: covering cell".
    """
    dataset = completed.dataset
    towers = raw.sel(site=dataset["site"].values)
    record = dataset["record"].values
    sites = dataset["site"].values
    replaced: dict[str, xr.Variable] = {}
    filled = np.zeros(record.shape, bool)
    served = np.ones(len(record), bool)
    if "own_cell" in dataset.coords:
        # their arrays hold every channel already
        served = ~dataset["own_cell"].values.astype(bool)
    ahead = hours_ahead(towers, clock)
    _report_unused(towers, record & served[:, None], ahead, clock)
    counts = [count_months(sites, "other channels: covering cell", record)]
    for name in (*MONTHLY, *DIURNAL):
        if name not in dataset:
            continue
        variable = dataset[name]
        values, left = variable.values, served.copy()
        for offer in _offers(name, towers, variable.values, record, ahead):
            own, gap = _complete(offer.values, record, month_number(dataset["time"].values) % 12, maximum_gap)
            chosen = left & _known(own, record)
            values = np.where(chosen.reshape(-1, *[1] * (own.ndim - 1)), own, values)
            counts.append(count_months(sites, f"{name}: {offer.reason}", record & ~gap & chosen[:, None]))
            counts.append(count_months(sites, f"{name}: climatology", record & gap & chosen[:, None]))
            filled |= record & gap & chosen[:, None]
            left &= ~chosen
        counts.append(count_months(sites, f"{name}: covering cell", record & left[:, None]))
        filled |= record & (left | ~served)[:, None]
        replaced[name] = xr.Variable(variable.dims, values.astype(np.float32), variable.attrs)
    table = pd.concat(counts, ignore_index=True)
    return replace(
        completed,
        dataset=dataset.assign({**replaced, "driver_filled": xr.DataArray(filled, dims=("site", "time"))}),
        counts=table[table["months"] > 0].reset_index(drop=True),
    )


class _Offer(NamedTuple):
    """Values (site, time[, hour]) of a tower, NaN where it has none, and how the counts name them."""

    values: NDArray[np.float64]
    reason: str


def _offers(name: str, towers: xr.Dataset, of_cell: NDArray, record: NDArray, ahead: NDArray) -> Iterator[_Offer]:
    """What a tower has of a quantity, the preferred first."""
    if name in MONTHLY:
        yield _Offer(preferred_column(towers, name, record), "tower")
        return
    yield _Offer(_cycles(towers, name, record, ahead), "tower")
    if name in _WITH_MEAN:
        mean = preferred_column(towers, name.removesuffix("_hourly"), record)
        yield _Offer(with_mean(of_cell, mean, name), "tower's mean, covering cell's cycle")


def with_mean(cycle: NDArray, mean: NDArray, name: str) -> NDArray[np.float64]:
    """Diurnal cycles of another place with a given monthly mean.

    Parameters
    ----------
    cycle
        (site, time, 24).
    mean
        (site, time).
    name
        Quantity: temperature is shifted; others are scaled by at most 5, and not at all where the cycle's mean is
        next to nothing.
    """
    before = cycle.mean(-1, dtype=float)
    if name in SHIFTED:
        return cycle + (mean - before)[..., None]
    least = _LEAST_MEAN[name]
    factor = np.where(before > least, np.maximum(mean, 0.0) / np.maximum(before, least), 1.0)
    return cycle * np.minimum(factor, _LARGEST_FACTOR)[..., None]


def hours_ahead(towers: xr.Dataset, clock: str) -> NDArray[np.float64]:
    """Whole hours (site,) by which the clock of the cells is ahead of each tower's; NaN = one of them is unknown.

    Parameters
    ----------
    towers
        With coordinate ``lon`` and, where known, ``utc_offset`` (h).
    clock
        See `dere.channels.CLOCK`.
    """
    lon = towers["lon"].values
    ahead_of_utc = {"solar": lon / 15.0, "utc": np.zeros(len(lon)), "unknown": np.full(len(lon), np.nan)}[clock]
    offset = towers["utc_offset"].values if "utc_offset" in towers.coords else np.full(len(lon), np.nan)
    return np.round(ahead_of_utc - offset)


def _cycles(towers: xr.Dataset, name: str, record: NDArray, ahead: NDArray) -> NDArray[np.float64]:
    """Own cycles (site, time, 24) on the cells' clock; a month without one of its hours has none."""
    whole = _whole(towers, name, record) & np.isfinite(ahead)[:, None]
    if not whole.any():
        return np.full((*record.shape, HOURS), np.nan)
    values = towers[name].transpose("site", "time", "hour").values.astype(float)
    return turned(np.where(whole[..., None], values, np.nan), np.nan_to_num(ahead).astype(int))


def _whole(towers: xr.Dataset, name: str, record: NDArray) -> NDArray[np.bool_]:
    """Months (site, time) of the record with every hour of a cycle."""
    if name not in towers:
        return np.zeros(record.shape, bool)
    return np.isfinite(towers[name].transpose("site", "time", "hour").values).all(-1) & record


def _report_unused(towers: xr.Dataset, record: NDArray, ahead: NDArray, clock: str) -> None:
    """Warn of towers whose cycles cannot be put on the cells' clock."""
    having = np.any([_whole(towers, name, record).any(1) for name in DIURNAL], axis=0)
    unused = having & np.isnan(ahead)
    if not unused.any():
        return
    reason = "their UTC offset is unknown; state utc_offset in BADM or a table of sites"
    if clock == "unknown":
        reason = (
            "the clock of the simulation's hours is unknown; in a folder of our own layout meta.json may state hours"
        )
    log.warning(
        "diurnal cycles of %d of %d towers are not used (their monthly means with the cells' cycles are), because %s",
        int(unused.sum()),
        int(having.sum()),
        reason,
    )


def _complete(
    values: NDArray, record: NDArray, month: NDArray, maximum_gap: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Fill months (site, time[, hour]) by the site's climatology; sites that lack more than a share lose all."""
    series = values if values.ndim == 2 else np.moveaxis(values, -1, 1)
    gap = record & np.isnan(values if values.ndim == 2 else values[..., 0])
    climatology = monthly_climatology(series, month)[..., month]
    filled = np.where(np.isnan(series), climatology, series)
    filled = filled if values.ndim == 2 else np.moveaxis(filled, 1, -1)
    enough = gap.sum(1) <= maximum_gap * np.maximum(record.sum(1), 1)
    keep = (record & enough[:, None]).reshape(*record.shape, *[1] * (values.ndim - 2))
    return np.where(keep, filled, np.nan), gap


def _known(values: NDArray, record: NDArray) -> NDArray[np.bool_]:
    """Sites with a value in every month of their record."""
    present = np.isfinite(values) if values.ndim == 2 else np.isfinite(values).all(-1)
    return (present | ~record).all(1)
