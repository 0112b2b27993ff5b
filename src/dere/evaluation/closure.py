"""``closure.csv``: how well RECO = GPP + NEE holds in every prediction and product."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from dere.evaluation.completeness import flux_residual
from dere.variables import FLUX_UNIT, FLUXES, convert

COLUMNS = ("file", "kind", "values", "mean_residual", "maximum_residual")


def closure_table(
    predictions: Mapping[str, xr.Dataset], products: Mapping[str, Mapping[str, xr.Dataset]] | None = None
) -> pd.DataFrame:
    """Mean and largest |RECO - GPP - NEE| in gC m-2 d-1.

    Parameters
    ----------
    predictions
        File name to prediction dataset.
    products
        Name of a product to its three datasets by flux, in kg m-2 s-1.

    Returns
    -------
    DataFrame
        Columns ``COLUMNS``, one row per prediction file and product; ``values`` months with all three fluxes.
    """
    rows = [_row(name, "prediction", flux_residual(file["prediction"])) for name, file in predictions.items()]
    for name, product in (products or {}).items():
        gpp, reco, nee = (product[flux][flux].values.astype("float64") for flux in FLUXES)
        residual = convert(reco - gpp - nee, "kg m-2 s-1", FLUX_UNIT, name)
        rows.append(_row(name, "product", residual))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(name: str, kind: str, residual: np.ndarray) -> dict[str, object]:
    absolute = np.abs(residual[np.isfinite(residual)])
    if not absolute.size:
        return dict(zip(COLUMNS, (name, kind, 0, np.nan, np.nan), strict=True))
    return dict(zip(COLUMNS, (name, kind, absolute.size, float(absolute.mean()), float(absolute.max())), strict=True))
