"""Standard deviations of annual totals of the maps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtri

from dere.evaluation.total_columns import INTERVAL, KEY, columns, of_a_day, summable, total_unit
from dere.exchange.base import Exchange
from dere.harmonise.axis import month_number
from dere.intervals.driver_distance import INDEX
from dere.intervals.neighbours import novelty, regions_of
from dere.intervals.totals import std_of_total
from dere.intervals.truth import nonnegative_quantiles
from dere.products.annual import cell_errors, whole_years
from dere.products.totals import BANDS, bands_of

Array = NDArray[np.float64]

TAILS = {"q05": 0.05, "q95": 0.95}
NORMAL = 1e5
"""Degrees of freedom of a total's error: a sum over many places."""
SURE = 6.0
"""Standard deviations above zero from which on no part of a normal distribution that counts is below it."""


def std_of_totals(
    predictions: xr.Dataset,
    area_fraction: xr.DataArray,
    drivers: xr.Dataset,
    exchange: Exchange,
    waves: Array | None = None,
) -> pd.Series:
    """Standard deviation of the annual total of each flux and region, by one fold and seed.

    Parameters
    ----------
    predictions
        Of cells, in the units of the exchange per the area of ``area_fraction``; stating its error model.
    area_fraction
        (cell, year) share of the land that fluxes are per.
    drivers
        ``lat``, ``lon``, ``land_fraction``, ``cell_area`` (m2) of cells, and temperature and rain.
    exchange
        What is predicted.
    waves
        (cell,) from ``Calibrator.waves`` of whole records, where ``predictions`` are of a part; None = they are whole.

    Returns
    -------
    Series
        By flux, region and year, in the unit of the totals; empty where the file states no error model, has no whole
        year, or no flux of the exchange adds up.
    """
    known = cell_errors(predictions, exchange)
    names = ["flux", "region", "year"]
    nothing = pd.Series(dtype=float, index=pd.MultiIndex.from_arrays([[], [], []], names=names))
    if known is None:
        return nothing
    model, scale = known
    time = predictions["time"]
    here = drivers.sel(cell=predictions["cell"])
    weight = square_metre_days(predictions, area_fraction, here)
    where = regions_of(here, "cell")
    rows: dict[tuple[str, str, int], float] = {}
    inside = bands_of(here["lat"].values)
    months, waves = month_number(time.values), model.waves(scale) if waves is None else waves
    beyond = novelty_of(predictions)
    fluxes = [(exchange.names.index(flux.name), flux) for flux in summable(exchange)]
    for year, own in whole_years(time.values).items():
        for region in BANDS:
            some = inside[region]
            part = np.zeros(len(exchange.names))
            if some.any():
                about = where.take(some), months[own], waves[some], beyond[some]
                part = std_of_total(model, scale[some][:, own], weight[some][:, own], *about)
            rows |= {(flux.name, region, year): float(part[at]) * of_a_day(flux, exchange) for at, flux in fluxes}
    return pd.Series(rows, dtype=float).rename_axis(names) if rows else nothing


def novelty_of(predictions: xr.Dataset) -> Array:
    """How far the cells of a prediction file are beyond all towers (cell,)."""
    return novelty(predictions[INDEX].values if INDEX in predictions else None, predictions.sizes["cell"])


def totals_of_cells(
    predictions: xr.Dataset, area_fraction: xr.DataArray, drivers: xr.Dataset, exchange: Exchange
) -> pd.DataFrame:
    """Annual totals by one fold and seed, as ``totals`` of its maps would be; arguments of `std_of_totals`."""
    here = drivers.sel(cell=predictions["cell"])
    weight = square_metre_days(predictions, area_fraction, here)
    values = predictions["prediction"].sel(flux=list(exchange.names)).transpose("cell", "time", "flux").values
    mass = np.where(weight[..., None] > 0, values, 0.0) * weight[..., None]
    inside = bands_of(here["lat"].values)
    rows = [
        (
            flux.name,
            region,
            year,
            float(mass[some][:, own, exchange.names.index(flux.name)].sum()) * of_a_day(flux, exchange),
        )
        for flux in summable(exchange)
        for year, own in whole_years(predictions["time"].values).items()
        for region, some in inside.items()
    ]
    return pd.DataFrame(rows, columns=list(columns(exchange)[: len(KEY) + 1])).reindex(columns=list(columns(exchange)))


def square_metre_days(predictions: xr.Dataset, area_fraction: xr.DataArray, here: xr.Dataset) -> Array:
    """Area that fluxes are per, times the days of the month, (cell, time); ``here`` are drivers of the same cells."""
    time = predictions["time"]
    share = area_fraction.sel(cell=predictions["cell"]).sel(year=time.dt.year, method="nearest").transpose("cell", ...)
    area = (here["cell_area"] * here["land_fraction"]).values[:, None]
    found: Array = np.nan_to_num(share.values) * area * np.asarray(time.dt.days_in_month, dtype=float)
    return found


def with_intervals(
    totals: pd.DataFrame, stds: Sequence[pd.Series], means: Sequence[pd.DataFrame], exchange: Exchange
) -> pd.DataFrame:
    """Totals of the maps with standard deviation and 90 % interval.

    Parameters
    ----------
    totals
        From `dere.products.totals.totals`, of the mean over folds and seeds.
    stds
        From `std_of_totals`, of each fold and seed.
    means
        Totals of each fold and seed, of which the scatter counts too (law of total variance); one or none = no scatter.
    exchange
        What is predicted.
    """
    key, unit = ["flux", "region", "year"], total_unit(exchange).lower()
    index = pd.MultiIndex.from_frame(totals[key])
    std = np.full(len(totals), np.nan)
    if stds and all(len(one) for one in stds):
        variance = np.mean([one.reindex(index).to_numpy() ** 2 for one in stds], axis=0)
        if len(means) > 1:
            each = np.stack([one.set_index(key)[f"total_{unit}"].reindex(index).to_numpy() for one in means])
            variance = variance + each.var(0, ddof=1)
        std = np.sqrt(variance)
    cut = totals["flux"].isin(exchange.magnitude).to_numpy(bool)
    ends = limits_of_totals(totals[f"total_{unit}"].to_numpy(float), std, cut, tuple(TAILS.values()))
    values = {"std": std, **dict(zip(TAILS, ends.T, strict=True))}
    return totals.assign(**{f"{name}_{unit}": values[name] for name in INTERVAL})


def limits_of_totals(total: Array, std: Array, positive: NDArray[np.bool_], levels: Sequence[float]) -> Array:
    """Quantiles (total, level) of totals, whose errors are normal.

    Parameters
    ----------
    total, std
        (total,) standard deviation before anything is cut; NaN where it is unknown.
    positive
        (total,) those that are never negative: where they would be, they are cut as those of months are
        (`dere.intervals.truth`).
    levels
        Of the quantiles.
    """
    found: Array = total[:, None] + std[:, None] * ndtri(np.asarray(levels))
    near = positive & (std > 0) & (total < SURE * std)
    scale = std[near] * np.sqrt((NORMAL - 2) / NORMAL)
    found[near] = nonnegative_quantiles(total[near], scale, NORMAL, np.asarray(levels))
    return found
