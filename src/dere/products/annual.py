"""Annual means of predictions in cells, with intervals that know how errors of months go together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.exchange.base import Exchange
from dere.intervals.calibrator import Calibrator
from dere.intervals.driver_distance import DISTANCE
from dere.intervals.spread import truth_limits, variant
from dere.intervals.stated import read_stated, states_errors
from dere.variables import QUANTILES

Array = NDArray[np.float64]
YEAR = 12


def whole_years(time: NDArray[np.datetime64]) -> dict[int, NDArray[np.int64]]:
    """Calendar year to the positions of its twelve months; years with fewer are left out."""
    years = np.asarray(pd.DatetimeIndex(time).year)
    found = {int(year): np.flatnonzero(years == year) for year in np.unique(years)}
    return {year: rows for year, rows in found.items() if len(rows) == YEAR}


def cell_scale(predictions: xr.Dataset, exchange: Exchange) -> tuple[Calibrator, Array] | None:
    """Error model of a file of cells, and the scale (cell, time, flux) of a tower's label there; None without one."""
    if not states_errors(predictions.attrs):
        return None
    model = read_stated(predictions.attrs, exchange)
    mean = predictions["prediction"].sel(flux=list(exchange.names)).transpose("cell", "time", "flux").values
    distance = predictions[DISTANCE].values if DISTANCE in predictions else None
    return model, model.scale(mean.astype(np.float64), distance)


def annual_means(predictions: xr.Dataset, exchange: Exchange) -> xr.Dataset:
    """Means over calendar years, months weighted by their length.

    Parameters
    ----------
    predictions
        ``prediction(cell, time, flux)`` of one fold and seed in the units of the exchange.
    exchange
        What is predicted.

    Returns
    -------
    Dataset
        ``prediction``, and ``std`` and ``quantile_value`` of the truth of cells where the file states an error model,
        on ``time``, the middle of each whole year; attributes as given.
    """
    ordered = predictions.sel(flux=list(exchange.names)).transpose("cell", "time", "flux", ...)
    years = whole_years(ordered["time"].values)
    days = pd.DatetimeIndex(ordered["time"].values).days_in_month.to_numpy(float)
    values = ordered["prediction"].values.astype(np.float64)
    weights = {year: days[rows] / days[rows].sum() for year, rows in years.items()}
    shape = (len(values), 0, values.shape[-1])
    mean = np.concatenate(
        [np.zeros(shape), *(np.einsum("ctf,t->cf", values[:, r], weights[y])[:, None] for y, r in years.items())], 1
    )
    time = np.array([np.datetime64(f"{year}-07-02", "ns") for year in years], dtype="datetime64[ns]")
    dims = ("cell", "time", "flux")
    made = xr.Dataset(
        {"prediction": (dims, exchange.close(mean))},
        coords={"cell": ordered["cell"].values, "time": time, "flux": list(exchange.names)},
        attrs=predictions.attrs,
    )
    known = cell_scale(predictions, exchange)
    if known is None or not years:
        return made
    model, scale = known
    cell = variant(model, "cell")
    waves = model.waves(scale)
    own = np.stack([cell.scale_of_sum(scale[:, rows], weights[year], waves=waves) for year, rows in years.items()], 1)
    std, quantiles = truth_limits(mean, own, model, np.asarray(QUANTILES))
    made["std"], made["quantile_value"] = (dims, std), ((*dims, "quantile"), quantiles)
    return made.assign_coords(quantile=list(QUANTILES))
