"""Global and regional totals of product files, and their closure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.evaluation.closure import product_residuals
from dere.evaluation.total_columns import KEY, columns, public_units, summable
from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2

TOTALS = "totals.csv"
"""Table beside the maps."""
_DAY = 86400.0
BANDS = {
    "global": (-90.0, 90.0),
    "60N-90N": (60.0, 90.0),
    "30N-60N": (30.0, 60.0),
    "0-30N": (0.0, 30.0),
    "30S-0": (-30.0, 0.0),
    "90S-30S": (-90.0, -30.0),
}
"""Latitude bands of the regional table; a cell counts where its centre lies."""


def bands_of(lat: NDArray[np.floating]) -> dict[str, NDArray[np.bool_]]:
    """Tell for each of ``BANDS`` which latitudes lie in it."""
    return {name: np.asarray((lat > south) & (lat < north)) for name, (south, north) in BANDS.items()}


def month_seconds(product: xr.Dataset) -> xr.DataArray:
    """Seconds of each month, from the time bounds; (time,)."""
    bounds = product["time_bnds"]
    length = bounds.isel(bnds=1) - bounds.isel(bnds=0)
    if length.dtype.kind == "m":
        return length / np.timedelta64(1, "s")
    return length * _DAY


def totals(products: Mapping[str, xr.Dataset], exchange: Exchange = CO2) -> pd.DataFrame:
    """Annual totals: flux x cell area x land fraction x seconds of the month.

    Parameters
    ----------
    products
        Flux to its product dataset; years with fewer than twelve months are left out.
    exchange
        Whose fluxes these are.

    Returns
    -------
    DataFrame
        Columns ``dere.evaluation.total_columns.columns``: flux, region, year and the total (for CO2 total_pgc); of the
        fluxes that have one.
    """
    rows = []
    fluxes = {flux.name: flux for flux in summable(exchange)}
    for name in [name for name in products if name in fluxes]:
        flux, product = fluxes[name], products[name]
        weight = product["areacella"] * product["sftlf"] / 100.0
        mass = product[flux.stem].astype("float64") * weight * month_seconds(product) / public_units(flux, exchange)
        zonal = mass.sum("lon").compute()
        years = pd.DatetimeIndex(_datetimes(product)).year
        for year in np.unique(years):
            if (years == year).sum() < 12:
                continue
            annual = zonal.isel(time=np.flatnonzero(years == year)).sum("time")
            for region, inside in bands_of(annual["lat"].values).items():
                total = float(annual.isel(lat=np.flatnonzero(inside)).sum())
                rows.append((name, region, int(year), total))
    return pd.DataFrame(rows, columns=list(columns(exchange)[: len(KEY) + 1])).reindex(columns=list(columns(exchange)))


def closure(products: Mapping[str, xr.Dataset], exchange: Exchange = CO2) -> dict[str, float]:
    """Largest and mean size of the residual over the files of all fluxes, in the unit of the fluxes."""
    found = [residual[np.isfinite(residual)] for residual in product_residuals(products, exchange)]
    every = np.concatenate([residual.ravel() for residual in found])
    return {"maximum": float(every.max()), "mean": float(every.mean())}


def _datetimes(product: xr.Dataset) -> np.ndarray:
    time = product["time"]
    if time.dtype.kind == "M":
        return time.values
    return np.datetime64("1850-01-01") + (time.values * _DAY).astype("timedelta64[s]")
