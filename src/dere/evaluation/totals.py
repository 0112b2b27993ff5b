"""Global totals of the world's truth, to set beside those of the product files (``dere.products.totals``)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from dere.evaluation.site_scores import true_land_flux
from dere.variables import FLUXES

COLUMNS = ("flux", "region", "year", "total_pgc")
_GRAM_TO_PETAGRAM = 1e-15


def true_totals(truth: xr.Dataset, drivers: xr.Dataset) -> pd.DataFrame:
    """Annual global totals of the true fluxes in PgC, with real month lengths and cell areas.

    Parameters
    ----------
    truth
        ``cell_flux(cell, time, flux)`` per vegetated area (gC m-2 d-1) and ``vegetated_fraction``.
    drivers
        ``cell_area`` (m2) and ``land_fraction`` on ``cell``.

    Returns
    -------
    DataFrame
        Columns ``COLUMNS`` with region ``global``; years without twelve complete months are left out.
    """
    flux = true_land_flux(truth)
    area = (drivers["cell_area"] * drivers["land_fraction"]).sel(cell=flux["cell"])
    months = pd.DatetimeIndex(flux["time"].values)
    daily = (flux * area).sum("cell", skipna=False).transpose("time", "flux").sel(flux=list(FLUXES)).values
    monthly = daily * np.asarray(months.days_in_month)[:, None] * _GRAM_TO_PETAGRAM
    years = np.asarray(months.year)
    rows = [
        dict(zip(COLUMNS, (name, "global", int(year), float(monthly[years == year, i].sum())), strict=True))
        for i, name in enumerate(FLUXES)
        for year in np.unique(years)
        if np.isfinite(monthly[years == year]).all() and (years == year).sum() == 12
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))
