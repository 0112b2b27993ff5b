"""``closure.csv``: how well the fluxes of every prediction and product add up (for CO2, RECO = GPP + NEE)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pandas as pd
import xarray as xr

from dere.cell_files import month_slices
from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.variables import convert

COLUMNS = ("file", "kind", "values", "mean_residual", "maximum_residual")


def closure_table(
    predictions: Mapping[str, xr.Dataset],
    products: Mapping[str, Mapping[str, xr.Dataset]] | None = None,
    exchange: Exchange = CO2,
) -> pd.DataFrame:
    """Mean and largest size of the residual, in the unit of the fluxes.

    Parameters
    ----------
    predictions
        File name to prediction dataset.
    products
        Name of a product to its datasets by flux, in their public units.
    exchange
        Whose identities are checked.

    Returns
    -------
    DataFrame
        Columns ``COLUMNS``, one row per prediction file and product; ``values`` months with all fluxes. No rows where
        the fluxes do not depend on each other.
    """
    if exchange.residuals is None:
        return pd.DataFrame(columns=list(COLUMNS))
    rows = [
        _row(name, "prediction", [flux_residual(file["prediction"], exchange)]) for name, file in predictions.items()
    ]
    for name, product in (products or {}).items():
        rows.append(_row(name, "product", product_residuals(product, exchange, name)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def flux_residual(values: xr.DataArray, exchange: Exchange = CO2) -> np.ndarray:
    """Size of what is left over of the identity that closes worst, in float64; the flux dimension goes."""
    fluxes = values.sel(flux=list(exchange.names)).transpose(..., "flux")
    return exchange.imbalance(fluxes.values.astype("float64"))


def product_residuals(
    product: Mapping[str, xr.Dataset], exchange: Exchange = CO2, what: str = "product"
) -> Iterator[np.ndarray]:
    """Size of the residual of public files, some months (time, lat, lon) at a time, in the unit of the fluxes.

    Parameters
    ----------
    product
        Flux to its dataset, which may be lazy.
    exchange
        Whose identities are checked.
    what
        Name for messages.
    """
    fields = [product[flux.name][flux.stem] for flux in exchange.fluxes]
    first = exchange.fluxes[0]
    months = fields[0].sizes["time"]
    for rows in month_slices(months, fields[0].size // max(1, months)):
        values = np.stack([field.isel(time=rows).values.astype("float64") for field in fields], -1)
        yield convert(exchange.imbalance(values), first.public_unit, first.unit, what)


def _row(name: str, kind: str, residuals: Iterable[np.ndarray]) -> dict[str, object]:
    """Row of one file, whose residuals come in parts."""
    count, total, largest = 0, 0.0, 0.0
    for residual in residuals:
        found = residual[np.isfinite(residual)]
        count, total, largest = count + found.size, total + found.sum(), max(largest, float(found.max(initial=0.0)))
    values = (count, float(total / count), largest) if count else (0, np.nan, np.nan)
    return dict(zip(COLUMNS, (name, kind, *values), strict=True))
