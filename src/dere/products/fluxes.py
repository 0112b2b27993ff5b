"""From fluxes per vegetated area to fluxes per land area, in the units of the public files, closed in float32."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.variables import convert

CLOSURE_TOLERANCE = 1e-4
"""Largest accepted residual of the incoming means, in the unit of the fluxes."""


def land_fluxes(predictions: xr.Dataset, area_fraction: xr.DataArray, exchange: Exchange = CO2) -> xr.Dataset:
    """Fluxes per land area; land without the area that a flux is per (for CO2, vegetation) counts with zero flux.

    The land fraction of a cell is *not* applied here: it enters once, when somebody sums over the globe.

    Parameters
    ----------
    predictions
        ``prediction(cell, time, flux)`` per vegetated area in the units of the exchange; optional ``std`` of the same
        dims,
        ``quantile_value(cell, time, flux, quantile)`` and ``extrapolation_index(cell)``.
    area_fraction
        (cell, year), share of the land area that fluxes are per (``exchange.area``); months before the first or after
        the last year use the nearest year.
    exchange
        What is predicted.

    Returns
    -------
    Dataset
        ``land_flux(cell, time, flux)`` float32 in the public units and scaled ``std``, ``quantile_value`` where given;
        where fluxes depend on each other, ``closure(cell, time, identity)``, the residuals of the rounded numbers.
        Dependent fluxes are computed again from the rounded others and rounded themselves, so that for CO2 the
        residual is at most half a unit in the last place of NEE (about 1e-14).

    Raises
    ------
    ValueError
        When cells are missing from the cover, a cell with vegetation has no prediction, or the means do not close.
    """
    missing = np.setdiff1d(predictions["cell"].values, area_fraction["cell"].values)
    if missing.size:
        raise ValueError(
            f"cover has no {exchange.area.replace('_', ' ')} for {missing.size} predicted cells (first: {missing[0]}); "
            "make cover and predictions from the same grid"
        )
    years = predictions["time"].dt.year
    share = area_fraction.sel(cell=predictions["cell"]).sel(year=years, method="nearest").drop_vars("year")
    _check_fraction(share, exchange)
    names = list(exchange.names)
    mean = predictions["prediction"].sel(flux=names).astype("float64")
    _check_means(mean, share, exchange)
    scaled = _scale(mean, share, exchange).transpose("cell", "time", "flux")
    closed = exchange.close(scaled.values.astype("float64")).astype("float32")
    out = xr.Dataset({"land_flux": scaled.copy(data=closed)}, attrs=dict(predictions.attrs))
    if exchange.residuals is not None:
        residuals = exchange.residuals(closed.astype("float64")).astype("float32")
        out["closure"] = (("cell", "time", "identity"), residuals)
    for name in ("std", "quantile_value"):
        if name in predictions:
            out[name] = _scale(predictions[name].sel(flux=names).astype("float64"), share, exchange)
    if "extrapolation_index" in predictions:
        out["extrapolation_index"] = predictions["extrapolation_index"].astype("float32")
    return out.transpose("cell", "time", "flux", ...)


def _scale(values: xr.DataArray, share: xr.DataArray, exchange: Exchange) -> xr.DataArray:
    # A cell without vegetation is zero even where the network was never asked.
    land = xr.where(share > 0, values * share, 0.0)
    parts = []
    for flux in exchange.fluxes:
        part = land.sel(flux=flux.name, drop=True)
        parts.append(part.copy(data=convert(part.values, flux.unit, flux.public_unit, flux.name)).astype("float32"))
    return xr.concat(parts, pd.Index(exchange.names, name="flux"))


def _check_fraction(share: xr.DataArray, exchange: Exchange) -> None:
    low, high = float(share.min()), float(share.max())
    if not (low >= 0 and high <= 1 + 1e-6) or bool(share.isnull().any()):
        raise ValueError(
            f"{exchange.area} runs from {low:g} to {high:g} with {int(share.isnull().sum())} missing values, "
            "but must lie between 0 and 1 everywhere; check the cover file (percent instead of fraction?)"
        )


def _check_means(mean: xr.DataArray, share: xr.DataArray, exchange: Exchange) -> None:
    holes = mean.isnull().any("flux") & (share > 0)
    if bool(holes.any()):
        cells = holes.any("time")
        first, kind = cells["cell"].values[cells.values.argmax()], exchange.area.partition("_")[0]
        raise ValueError(
            f"prediction is missing in {int(holes.sum())} cell-months of {int(cells.sum())} {kind} cells (first: cell "
            f"{first}), but a product must be complete; predict all cells and months first"
        )
    residual = exchange.imbalance(mean.transpose(..., "flux").values)
    worst = float(np.nanmax(residual, initial=0.0))
    if worst > CLOSURE_TOLERANCE:
        identities = " or ".join(f"|{text}|" for text in exchange.identities)
        raise ValueError(
            f"predicted means leave {identities} up to {worst:g} {exchange.fluxes[0].unit}, more than "
            f"{CLOSURE_TOLERANCE:g}; export means of a closing method, not medians or separately fitted fluxes"
        )
