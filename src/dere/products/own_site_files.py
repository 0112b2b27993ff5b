"""Files of predictions at sites of one's own: CF time series, a monthly table, and a table of the sites."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from dere import __version__
from dere.exchange.base import Exchange, Flux
from dere.exchange.co2 import EXCHANGE as CO2
from dere.harmonise.axis import time_bounds
from dere.invented import ATTRIBUTE
from dere.io import TIME_UNITS, moved_at_once, working_folder, write_atomically, write_netcdf, write_table
from dere.variables import convert

NETCDF, TABLE, SITES = "predictions.nc", "predictions.csv", "sites.csv"
EFFECTS, MEMBERS = "effects.csv", "members.nc"
"""Files beside these where months of sites were given."""
BEFORE, STD_BEFORE, OWN = "prediction_before", "std_before", "own_values"
"""Variables of predictions that own months have sharpened: what was predicted without them, and (site, time) how many
fluxes of a month were known."""
GIVEN = (0.05, 0.5, 0.95)
"""Quantiles that the files have, where the method has any."""
INDEX = "extrapolation_index"
ABOUT_INDEX = (
    "share of the months that models learned from whose drivers lie nearer to the towers of other clusters than those "
    "of this month to the towers; 0.5 is usual, 1 is farther than all; missing at sites of the run"
)


@dataclass(frozen=True)
class Calibration:
    """What months of their own say of sites.

    Parameters
    ----------
    effects
        Columns site, flux, what, value, std, std_before, words.
    members
        ``member_prediction(member, site, time, flux)`` of the sites that have own months, gC m-2 d-1.
    lines
        Sentences for the screen.
    """

    effects: pd.DataFrame
    members: xr.Dataset
    lines: tuple[str, ...]


def monthly_table(predictions: xr.Dataset, exchange: Exchange = CO2) -> pd.DataFrame:
    """One row per site and month in gC m-2 d-1.

    Parameters
    ----------
    predictions
        As `dere.api.own_sites.SitePredictions.dataset`.
    exchange
        What is predicted.

    Returns
    -------
    DataFrame
        Columns site, month, one per flux, ``<flux>_std``, ``<flux>_q05``, ``<flux>_q50``, ``<flux>_q95`` where the
        method has them, extrapolation_index, known_as; with own months also ``<flux>_before``, ``<flux>_std_before``
        and own_values.
    """
    inside = predictions["record"].transpose("site", "time").values
    site, month = np.nonzero(inside)
    columns: dict[str, object] = {
        "site": predictions["site"].values.astype(str)[site],
        "month": predictions["time"].values.astype("datetime64[M]").astype(str)[month],
    }
    for name, values in _series(predictions, exchange).items():
        columns[name] = values[inside]
    columns[INDEX] = predictions[INDEX].transpose("site", "time").values[inside]
    if OWN in predictions:
        columns[OWN] = predictions[OWN].transpose("site", "time").values[inside]
    columns["known_as"] = predictions["known_as"].values.astype(str)[site]
    return pd.DataFrame(columns)


def time_series(predictions: xr.Dataset, exchange: Exchange = CO2) -> xr.Dataset:
    """CF discrete sampling geometry ``timeSeries`` in the public units.

    Parameters
    ----------
    predictions, exchange
        As for `monthly_table`.

    Returns
    -------
    Dataset
        One variable per flux, ``<flux>_std`` and quantiles, and ``extrapolation_index``, each (station, time);
        coordinates ``site`` (cf_role timeseries_id), ``lat``, ``lon``, ``igbp`` (station), ``time`` with bounds.
    """
    dims = ("station", "time")
    inside = predictions["record"].transpose("site", "time").values
    data = {}
    for name, values in _series(predictions, exchange).items():
        flux = exchange.flux(name.split("_")[0])
        public = convert(values, flux.unit, flux.public_unit, name)
        data[name] = (dims, np.where(inside, public, np.nan), _flux_attributes(flux, name, exchange))
    data[INDEX] = (
        dims,
        np.where(inside, predictions[INDEX].transpose("site", "time").values, np.nan),
        {"units": "1", "long_name": "extrapolation index", "comment": ABOUT_INDEX},
    )
    if OWN in predictions:
        own = np.where(inside, predictions[OWN].transpose("site", "time").values, 0).astype(np.int8)
        data[OWN] = (dims, own, {"long_name": "fluxes of the month that were known"})
    texts = {
        "site": {"long_name": "id of the site", "cf_role": "timeseries_id"},
        "igbp": {"long_name": "IGBP class"},
        "known_as": {
            "long_name": "site of the run that it is, whose stored prediction by models that had not seen it is"
        },
    }
    places = {
        "lat": {"units": "degrees_north", "standard_name": "latitude", "long_name": "latitude"},
        "lon": {"units": "degrees_east", "standard_name": "longitude", "long_name": "longitude"},
    }
    result = xr.Dataset(
        data,
        coords={
            "time": ("time", predictions["time"].values, {"standard_name": "time", "axis": "T", "bounds": "time_bnds"}),
            **{name: ("station", predictions[name].values.astype(float), attrs) for name, attrs in places.items()},
            **{
                name: ("station", predictions[name].values.astype(str).astype(object), attrs)
                for name, attrs in texts.items()
            },
        },
    )
    result["time_bnds"] = (("time", "bnds"), time_bounds(predictions["time"].values))
    stated = {key: predictions.attrs[key] for key in ("method", "backbone", "folds", "seeds", "run", "split")}
    stated |= {key: predictions.attrs[key] for key in ("source", ATTRIBUTE) if key in predictions.attrs}
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return result.assign_attrs(
        {
            "Conventions": "CF-1.8",
            "featureType": "timeSeries",
            "title": f"Monthly carbon fluxes of sites, predicted by {stated['method']} of the run {stated['run']}",
            "history": f"{stamp} dere predict, dere {__version__}",
            "comment": f"Means per vegetated area. Multiply by {_factor(exchange)} for {exchange.fluxes[0].unit}.",
            **stated,
        }
    )


def write(
    predictions: xr.Dataset,
    sites: pd.DataFrame,
    folder: Path,
    *,
    calibration: Calibration | None = None,
    overwrite: bool = False,
) -> None:
    """Write all files into ``folder``; nothing half-written stays, and nothing stays of a failure.

    Raises
    ------
    ValueError
        When the folder is a file, or holds anything and ``overwrite`` is false, or cannot be written.
    """
    work = working_folder(folder)
    require_free(folder, overwrite)
    series = time_series(predictions)
    encoding: dict[str, dict[str, Any]] = {
        str(name): {"zlib": True, "complevel": 1, "_FillValue": None if name == OWN else np.nan}
        for name in series.data_vars
    }
    days = {"units": TIME_UNITS, "calendar": "standard", "dtype": "float64", "_FillValue": None}
    encoding |= {"time": days, "time_bnds": days, "lat": {"_FillValue": None}, "lon": {"_FillValue": None}}
    with moved_at_once(work, folder) as files:
        write_atomically(files / NETCDF, lambda path: series.to_netcdf(path, engine="netcdf4", encoding=encoding))
        write_table(monthly_table(predictions), files / TABLE, float_format="%.9g")
        write_table(sites, files / SITES)
        if calibration is not None:
            write_table(calibration.effects, files / EFFECTS)
            write_netcdf(calibration.members, files / MEMBERS)


def require_free(folder: Path, overwrite: bool) -> None:
    """Check that files may be written into a folder.

    Raises
    ------
    ValueError
        When it is a file, or holds anything and ``overwrite`` is false.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file, but a folder for the predictions is expected; give another path")
    if folder.is_dir() and any(folder.iterdir()) and not overwrite:
        raise ValueError(f"{folder} is not empty; give another folder, or say --overwrite")


def _series(predictions: xr.Dataset, exchange: Exchange) -> dict[str, np.ndarray]:
    """Arrays (site, time) by name, in the unit of the fluxes."""
    found: dict[str, np.ndarray] = {}

    def add(name: str, values: xr.DataArray) -> None:
        found[name] = values.transpose("site", "time").values

    for flux in exchange.names:
        add(flux, predictions["prediction"].sel(flux=flux))
    if BEFORE in predictions:
        for flux in exchange.names:
            add(f"{flux}_before", predictions[BEFORE].sel(flux=flux))
            add(f"{flux}_std_before", predictions[STD_BEFORE].sel(flux=flux))
    for flux in exchange.names:
        if "std" in predictions:
            add(f"{flux}_std", predictions["std"].sel(flux=flux))
        if "quantile_value" in predictions:
            levels = predictions["quantile"].values
            for level in GIVEN:
                at = int(np.abs(levels - level).argmin())
                if np.isclose(levels[at], level):
                    add(
                        f"{flux}_q{round(100 * level):02d}",
                        predictions["quantile_value"].sel(flux=flux).isel(quantile=at),
                    )
    return found


def _flux_attributes(flux: Flux, name: str, exchange: Exchange) -> dict[str, str]:
    about = {
        "": flux.long_name,
        "std": f"standard deviation of {flux.long_name}",
        "before": f"{flux.long_name} predicted without own months",
        "std_before": f"standard deviation of {flux.long_name} without own months",
    }
    kind = name.partition("_")[2]
    attrs = {
        "long_name": about.get(kind, f"quantile {kind[1:]} % of {flux.long_name}; quantiles do not close as means do"),
        "units": flux.public_unit,
        "cell_methods": "time: mean",
    }
    if flux.standard_name and kind in about:
        attrs["standard_name"] = f"{flux.standard_name}{' standard_error' if 'std' in kind else ''}"
    if not kind:
        attrs["comment"] = f"{flux.sign}. {flux.comment}".strip()
    return attrs


def _factor(exchange: Exchange) -> str:
    flux = exchange.fluxes[0]
    return f"{float(convert(np.ones(()), flux.public_unit, flux.unit, flux.name)):.6g}".replace("e+0", "e")
