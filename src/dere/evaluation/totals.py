"""Global totals of the world's truth, to set beside those of the product files (``dere.products.totals``)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from dere.evaluation.site_scores import true_land_flux
from dere.evaluation.total_columns import KEY, columns, of_a_day, summable
from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2


def true_totals(truth: xr.Dataset, drivers: xr.Dataset, exchange: Exchange = CO2) -> pd.DataFrame:
    """Annual global totals of the true fluxes, with real month lengths and cell areas.

    Parameters
    ----------
    truth
        ``cell_flux(cell, time, flux)`` and the share of the land that it is per (for CO2 gC m-2 d-1 and
        ``vegetated_fraction``).
    drivers
        ``cell_area`` (m2) and ``land_fraction`` on ``cell``.
    exchange
        Whose fluxes these are.

    Returns
    -------
    DataFrame
        Columns ``columns(exchange)`` with region ``global``, of fluxes that are ``summable``; years
        without twelve complete months are left out.
    """
    names = [one.name for one in summable(exchange)]
    flux = true_land_flux(truth, exchange)
    area = (drivers["cell_area"] * drivers["land_fraction"]).sel(cell=flux["cell"])
    months = pd.DatetimeIndex(flux["time"].values)
    daily = (flux * area).sum("cell", skipna=False).transpose("time", "flux").sel(flux=names).values
    unit = np.asarray([of_a_day(one, exchange) for one in summable(exchange)])
    monthly = daily * np.asarray(months.days_in_month)[:, None] * unit
    years = np.asarray(months.year)
    rows = [
        (name, "global", int(year), float(monthly[years == year, i].sum()))
        for i, name in enumerate(names)
        for year in np.unique(years)
        if np.isfinite(monthly[years == year]).all() and (years == year).sum() == 12
    ]
    return pd.DataFrame(rows, columns=list(columns(exchange)[: len(KEY) + 1])).reindex(columns=list(columns(exchange)))
