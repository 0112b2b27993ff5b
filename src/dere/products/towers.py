"""The tower table: what was observed and predicted where, so that others can compute their own scores."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.harmonise.site_roles import COORDINATE
from dere.invented import ATTRIBUTE, invented_only, invented_sources

_SITE_COLUMNS = ("igbp", "koppen", "lat", "lon")


def tower_table(predictions: xr.Dataset, towers: xr.Dataset, exchange: Exchange = CO2) -> pd.DataFrame:
    """Tidy table of one prediction file.

    Parameters
    ----------
    predictions
        ``prediction(site, time, flux)``, optional ``std`` and ``quantile_value(..., quantile)``; ``fold``
        and ``seed`` from its attributes or, for ``fold``, from a coordinate on ``site``.
    towers
        The canonical towers: ``flux_value``, ``flux_quality``, ``record`` and site coordinates.
    exchange
        What is predicted; orders the fluxes.

    Returns
    -------
    DataFrame
        One row per site, month and flux with a prediction: site, time (YYYY-MM), flux, observed, predicted, std,
        q05 ... q95, quality, fold, seed, igbp, koppen, lat, lon, role (what the prediction is worth), and
        ``invented_sources``, the sources behind the rows that are of the built-in world, empty where none is.
        ``observed`` is empty where no label is usable.

    Raises
    ------
    ValueError
        When a predicted site is unknown to the towers.
    """
    unknown = sorted(set(predictions["site"].values) - set(towers["site"].values))
    if unknown:
        raise ValueError(
            f"predictions hold {len(unknown)} sites that towers.nc lacks (first: {unknown[0]}); make both from one run"
        )
    here = towers.sel(site=predictions["site"]).reindex(time=predictions["time"])
    columns = {
        "observed": here["flux_value"],
        "predicted": predictions["prediction"],
    }
    if "std" in predictions:
        columns["std"] = predictions["std"]
    if "quantile_value" in predictions:
        for quantile in predictions["quantile"].values:
            name = f"q{round(100 * float(quantile)):02d}"
            columns[name] = predictions["quantile_value"].sel(quantile=quantile, drop=True)
    columns["quality"] = here["flux_quality"]
    data = xr.Dataset({name: values.reset_coords(drop=True) for name, values in columns.items()})
    frame = data.sel(flux=list(exchange.names)).to_dataframe(dim_order=("site", "time", "flux")).reset_index()
    frame = frame[frame["predicted"].notna()]
    for name in ("fold", "seed"):
        by_site = name in predictions and predictions[name].dims == ("site",)
        attribute = predictions.attrs.get(name, "")
        frame[name] = frame["site"].map(predictions[name].to_series()) if by_site else attribute
    for name in _SITE_COLUMNS:
        if name in here.coords or name in here:
            frame[name] = frame["site"].map(here[name].to_series())
    frame[COORDINATE] = frame["site"].map(predictions[COORDINATE].to_series()) if COORDINATE in predictions else ""
    frame["time"] = frame["time"].dt.strftime("%Y-%m")
    # a table has no attributes, and this one travels alone
    frame[ATTRIBUTE] = "; ".join(invented_only(invented_sources([predictions.attrs])))
    return frame.reset_index(drop=True)
