"""Whether the intervals of the public maps hold the truth of cells: rows for ``calibration.csv``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.evaluation.interval_limits import Scale
from dere.evaluation.site_scores import IDENTITY, true_land_flux
from dere.evaluation.tower_coverage import COLUMNS, MEANS
from dere.exchange.base import Exchange, Flux
from dere.variables import convert

Array = NDArray[np.float64]

BLOCK_DEGREES = 15.0
"""Cells of one block this wide are drawn together."""


def map_coverage(
    products: Mapping[str, xr.Dataset],
    truth: xr.Dataset,
    cells: xr.Dataset,
    *,
    method: str,
    backbone: str,
    scale: Scale,
    exchange: Exchange,
) -> pd.DataFrame:
    """Coverage of 90 % intervals and errors of the maps of one method in every vegetated cell of the world.

    Parameters
    ----------
    products
        Flux to its monthly or annual product dataset; those without quantiles give no rows.
    truth, cells
        As in `dere.evaluation.site_scores.map_skill`.
    method, backbone
        As in the tables.
    scale
        What the files hold.
    exchange
        What the maps show.

    Returns
    -------
    DataFrame
        Columns of `dere.evaluation.tower_coverage`, the cell as ``site`` and its block as ``cluster``.
    """
    observed = true_land_flux(truth, exchange)
    here = cells[["lat", "lon"]].sel(cell=observed["cell"])
    frames = []
    for flux in exchange.fluxes:
        product = products.get(flux.name)
        if product is None or f"{flux.stem}_q05" not in product:
            continue
        names = {"mean": flux.stem, "std": f"{flux.stem}_std", "low": f"{flux.stem}_q05", "high": f"{flux.stem}_q95"}
        maps = {key: _at_cells(product, name, flux, here) for key, name in names.items()}
        values = _aligned(observed.sel(flux=flux.name), product, scale)
        known = np.isfinite(values) & np.isfinite(maps["mean"])
        scores = {
            "coverage_90": (values >= maps["low"]) & (values <= maps["high"]),
            "width_90": maps["high"] - maps["low"],
            "square_spread": maps["std"] ** 2,
            "square_error": (maps["mean"] - values) ** 2,
        }
        count = known.sum(1)
        means = {name: np.where(known, score, 0.0).sum(1) / np.maximum(count, 1) for name, score in scores.items()}
        table = pd.DataFrame(
            {"site": observed["cell"].values.astype(str), "flux": flux.name, "periods": count, **means}
        )
        frames.append(table[count > 0])
    if not frames:
        return pd.DataFrame(columns=list(COLUMNS))
    rows = pd.concat(frames, ignore_index=True)
    block = np.floor(here[["lat", "lon"]].to_dataframe()[["lat", "lon"]] / BLOCK_DEGREES).astype(int).astype(str)
    cluster = dict(zip(observed["cell"].values.astype(str), block["lat"] + "/" + block["lon"], strict=True))
    identity = dict(zip(IDENTITY, (method, backbone, "all", "all"), strict=True))
    about = {"grouping": "map", "season": "all", "scale": scale, "igbp": "", "distance": np.nan}
    rows = rows.assign(**identity, **about, cluster=rows["site"].map(cluster))
    return rows.reindex(columns=list(COLUMNS)).astype(dict.fromkeys(MEANS, float))


def _at_cells(product: xr.Dataset, name: str, flux: Flux, here: xr.Dataset) -> Array:
    """Values of a product's variable at the cells, (cell, time) in the unit of the flux."""
    step = float(np.abs(np.diff(product["lat"].values)).min())
    at = {axis: xr.DataArray(here[axis].values, dims="cell") for axis in ("lat", "lon")}
    values = product[name].sel(at, method="nearest", tolerance=step / 4).transpose("cell", "time").values
    return np.asarray(convert(values.astype(np.float64), flux.public_unit, flux.unit, flux.name))


def _aligned(observed: xr.DataArray, product: xr.Dataset, scale: Scale) -> Array:
    """True flux (cell, period) on the periods of a product."""
    months = pd.DatetimeIndex(observed["time"].values)
    values = observed.transpose("cell", "time").values.astype(np.float64)
    frequency = "M" if scale == "monthly" else "Y"
    periods = months.to_period(frequency)
    wanted = pd.DatetimeIndex(product["time"].values).to_period(frequency)
    days = months.days_in_month.to_numpy(float)
    found = np.full((len(values), len(wanted)), np.nan)
    for column, period in enumerate(wanted):
        own = np.flatnonzero(periods == period)
        if len(own) == (1 if scale == "monthly" else 12):
            found[:, column] = values[:, own] @ days[own] / days[own].sum()
    return found
