"""Monthly series of the towers: observed, filled, and what each method predicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from dere.exchange.base import Exchange
from dere.explorer.pack import pack

MOST = 5_000_000
"""Numbers that a page holds of series."""
OBSERVED_ORIGIN = 1
"""Code of ``origin`` of a month that is observed in all its fluxes."""
_ENDS = (0.05, 0.95)


def fitting(sites: int, months: int, fluxes: int, methods: int, most: int = MOST) -> tuple[int, bool]:
    """Return how many sites a page can hold, and whether every method has its interval there.

    Where all do not fit, first the intervals of methods that are not given away are left out, then sites.

    Parameters
    ----------
    sites, months, fluxes, methods
        What the run has.
    most
        Bound of the number of values.
    """
    beside = 5  # observed, its quality, and filled with both ends
    if sites * months * fluxes * (beside + 3 * methods) <= most:
        return sites, True
    return min(sites, max(most // (months * fluxes * (beside + 2 + methods)), 1)), False


def observed(towers: xr.Dataset, names: Sequence[str], exchange: Exchange) -> dict[str, Any]:
    """Return the labels of the towers and their quality, (site, flux, month) each."""
    own = towers.sel(site=list(names), flux=list(exchange.names))
    value, quality = (own[name].transpose("site", "flux", "time").values for name in ("flux_value", "flux_quality"))
    return {"value": pack(value), "quality": pack(np.where(np.isfinite(value), quality, np.nan))}


def filled(file: xr.Dataset | None, names: Sequence[str], months: pd.DatetimeIndex, exchange: Exchange) -> Any:
    """Return mean and ends of the 90 % interval of months that are not wholly observed, (site, flux, month) each.

    Parameters
    ----------
    file
        ``towers_filled/monthly.nc``: of each flux mean and quantiles (station, time), ``origin``; None = the run has
        none.
    names
        Sites of the page; one that the file lacks has no value.
    months
        Times of the page.
    exchange
        What is filled.
    """
    if file is None:
        return None
    own = file.assign_coords(station=file["site"].values.astype(str)).reindex(station=list(names), time=months)
    made = (own["origin"] > OBSERVED_ORIGIN).transpose("station", "time").values
    parts = {"mean": "", "low": "_q05", "high": "_q95"}
    stacked = {
        part: np.stack([own[f"{flux}{end}"].transpose("station", "time").values for flux in exchange.names], 1)
        for part, end in parts.items()
    }
    return {part: pack(np.where(made[:, None], values, np.nan)) for part, values in stacked.items()}


def predicted(
    file: xr.Dataset, names: Sequence[str], months: pd.DatetimeIndex, exchange: Exchange, with_interval: bool
) -> dict[str, Any]:
    """Return mean and, where the method states it and the page has space, the ends of its 90 % interval.

    Parameters
    ----------
    file
        ``ensemble.nc``: ``prediction(site, time, flux)``, ``quantile_value(..., quantile)``.
    names, months
        Sites and times of the page; those that the file lacks have no value.
    exchange
        What is predicted.
    with_interval
        Whether the interval is wanted.

    Raises
    ------
    ValueError
        When the file holds no prediction.
    """
    if "prediction" not in file:
        raise ValueError("a file of predictions lacks the variable prediction; delete it and run again")
    wanted = {"site": list(names), "time": months}
    file = file.sel(flux=list(exchange.names))
    mean = file["prediction"].reindex(wanted).transpose("site", "flux", "time").values
    if not with_interval or "quantile_value" not in file:
        return {"mean": pack(mean), "low": None, "high": None}
    ends = file["quantile_value"].reindex(wanted).transpose("quantile", "site", "flux", "time")
    low, high = (ends.sel(quantile=end, method="nearest").values for end in _ENDS)
    return {"mean": pack(mean), "low": pack(low), "high": pack(high)}
