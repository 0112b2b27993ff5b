"""From fluxes per vegetated area to fluxes per land area, in the unit of the public files, closed in float32."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from dere.variables import FLUX_UNIT, FLUXES, convert

PRODUCT_UNIT = "kg m-2 s-1"
CLOSURE_TOLERANCE = 1e-4
"""Largest accepted |RECO - GPP - NEE| of the incoming means (gC m-2 d-1)."""


def land_fluxes(predictions: xr.Dataset, vegetated_fraction: xr.DataArray) -> xr.Dataset:
    """Fluxes per land area; land without vegetation counts with zero flux.

    The land fraction of a cell is *not* applied here: it enters once, when somebody sums over the globe.

    Parameters
    ----------
    predictions
        ``prediction(cell, time, flux)`` per vegetated area in gC m-2 d-1; optional ``std`` of the same dims,
        ``quantile_value(cell, time, flux, quantile)`` and ``extrapolation_index(cell, time)``.
    vegetated_fraction
        (cell, year), share of the land area; months before the first or after the last year use the nearest year.

    Returns
    -------
    Dataset
        ``land_flux(cell, time, flux)`` float32 in kg m-2 s-1, ``closure(cell, time)`` = RECO - GPP - NEE of the rounded
        numbers, and scaled ``std``, ``quantile_value`` where given. NEE is the rounded difference of the rounded
        RECO and GPP, so that the residual is at most half a unit in the last place of NEE (about 1e-14).

    Raises
    ------
    ValueError
        When cells are missing from the cover, a vegetated cell has no prediction, or the means do not close.
    """
    missing = np.setdiff1d(predictions["cell"].values, vegetated_fraction["cell"].values)
    if missing.size:
        raise ValueError(
            f"cover has no vegetated fraction for {missing.size} predicted cells (first: {missing[0]}); "
            "make cover and predictions from the same grid"
        )
    years = predictions["time"].dt.year
    share = vegetated_fraction.sel(cell=predictions["cell"]).sel(year=years, method="nearest").drop_vars("year")
    _check_fraction(share)
    mean = predictions["prediction"].sel(flux=list(FLUXES)).astype("float64")
    _check_means(mean, share)
    scaled = {str(flux): _scale(mean.sel(flux=flux, drop=True), share) for flux in ("gpp", "reco")}
    gpp, reco = (scaled[name].astype("float64") for name in ("gpp", "reco"))
    scaled["nee"] = (reco - gpp).astype("float32")
    residual = (reco - gpp - scaled["nee"].astype("float64")).astype("float32")
    stacked = xr.concat([scaled[name] for name in FLUXES], pd.Index(FLUXES, name="flux"))
    out = xr.Dataset(
        {"land_flux": stacked, "closure": residual},
        attrs=dict(predictions.attrs),
    )
    for name in ("std", "quantile_value"):
        if name in predictions:
            out[name] = _scale(predictions[name].sel(flux=list(FLUXES)).astype("float64"), share)
    if "extrapolation_index" in predictions:
        out["extrapolation_index"] = predictions["extrapolation_index"].astype("float32")
    return out.transpose("cell", "time", "flux", ...)


def _scale(values: xr.DataArray, share: xr.DataArray) -> xr.DataArray:
    # A cell without vegetation is zero even where the network was never asked.
    land = xr.where(share > 0, values * share, 0.0)
    return land.copy(data=convert(land.values, FLUX_UNIT, PRODUCT_UNIT)).astype("float32")


def _check_fraction(share: xr.DataArray) -> None:
    low, high = float(share.min()), float(share.max())
    if not (low >= 0 and high <= 1 + 1e-6) or bool(share.isnull().any()):
        raise ValueError(
            f"vegetated_fraction runs from {low:g} to {high:g} with {int(share.isnull().sum())} missing values, "
            "but must lie between 0 and 1 everywhere; check the cover file (percent instead of fraction?)"
        )


def _check_means(mean: xr.DataArray, share: xr.DataArray) -> None:
    holes = mean.isnull().any("flux") & (share > 0)
    if bool(holes.any()):
        cells = holes.any("time")
        first = cells["cell"].values[cells.values.argmax()]
        raise ValueError(
            f"prediction is missing in {int(holes.sum())} cell-months of {int(cells.sum())} vegetated cells (first: "
            f"cell {first}), but a product must be complete; predict all cells and months first"
        )
    fluxes = {name: mean.sel(flux=name, drop=True) for name in FLUXES}
    residual = abs(fluxes["reco"] - fluxes["gpp"] - fluxes["nee"]).max()
    if float(residual) > CLOSURE_TOLERANCE:
        raise ValueError(
            f"predicted means leave |RECO - GPP - NEE| up to {float(residual):g} {FLUX_UNIT}, more than "
            f"{CLOSURE_TOLERANCE:g}; export means of a closing method, not medians or separately fitted fluxes"
        )
