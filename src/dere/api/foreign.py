"""Predictions of others, brought into the form of a prediction file; what they lack is the judge's to say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from dere.exchange import Exchange
from dere.io import read_netcdf

PREDICTION = "prediction"
TIMES = ("time", "month")
"""Columns that may hold the month."""


def read(given: xr.Dataset | pd.DataFrame | str | Path) -> tuple[xr.Dataset | pd.DataFrame, str]:
    """Read a csv or NetCDF file; return its content and what messages call it. Data come back as they are.

    Raises
    ------
    FileNotFoundError
        When the file does not exist.
    ValueError
        When it cannot be read.
    """
    if isinstance(given, (xr.Dataset, pd.DataFrame)):
        return given, "predictions"
    path = Path(given)
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist, but a csv or NetCDF (.nc) file is expected; correct the path")
    if path.suffix == ".nc":
        return read_netcdf(path), str(path)
    try:
        return pd.read_csv(path, dtype={"site": str}, float_precision="round_trip"), str(path)
    except ValueError as error:
        raise ValueError(f"{path} cannot be read as csv ({' '.join(str(error).split())}); correct it") from None


def as_prediction(
    given: xr.Dataset | pd.DataFrame,
    axis: np.ndarray,
    exchange: Exchange,
    attrs: Mapping[str, Any],
    *,
    close: bool,
    what: str,
) -> xr.Dataset:
    """Return predictions as a dataset with ``prediction(site, time, flux)``.

    Parameters
    ----------
    given
        Such a dataset; or one with a variable (site, time) per flux; or a table with the columns ``site``, ``time`` or
        ``month``, and one per flux. All in the unit of the fluxes.
    axis
        Months that are judged (``time`` of the towers); a table's other months are left out.
    exchange
        What is predicted.
    attrs
        Attributes, as far as a dataset does not state them.
    close
        Compute the dependent fluxes again from the others; they need not be there then.
    what
        Name for messages.

    Raises
    ------
    ValueError
        When a column is missing, a date or number is none, or a row occurs twice.
    """
    if isinstance(given, xr.Dataset) and PREDICTION not in given:
        own = [name for name in exchange.names if name in given]
        given = given[own].to_dataframe().reset_index() if own else given
    if isinstance(given, pd.DataFrame):
        given = of_table(given, axis, exchange, close, what)
    if close and PREDICTION in given:
        values = given[PREDICTION].sel(flux=list(exchange.names)).transpose(..., "flux")
        given = given.assign({PREDICTION: values.copy(data=exchange.close(values.values))})
    return given.assign_attrs({**attrs, **given.attrs})


def of_table(table: pd.DataFrame, axis: np.ndarray, exchange: Exchange, close: bool, what: str) -> xr.Dataset:
    """Return the dataset of a table; `as_prediction` explains the parameters and what is raised."""
    when = next((name for name in TIMES if name in table), None)
    wanted = [name for name in exchange.names if name in table or not close]
    missing = [name for name in ("site", *wanted) if name not in table] + ([] if when else [" or ".join(TIMES)])
    if missing or not wanted:
        there, lacking = ", ".join(map(str, table.columns)), ", ".join(missing or exchange.names)
        raise ValueError(
            f"{what}: it has the columns {there}, but {lacking} is missing; give a row per site and month with a "
            "column per flux"
        )
    assert when is not None
    rows = pd.DataFrame({"site": table["site"].astype(str), "time": _months(table[when], what)})
    for name in wanted:
        rows[name] = _numbers(table[name], what)
    twice = rows.duplicated(["site", "time"])
    if twice.any():
        first = rows[twice].iloc[0]
        raise ValueError(
            f"{what}: {int(twice.sum())} rows are of a site and month that have one already (first: {first['site']} in "
            f"{first['time']:%Y-%m}); give one row per site and month"
        )
    months = pd.DatetimeIndex(axis.astype("datetime64[M]").astype("datetime64[ns]"))
    arrays = rows.set_index(["site", "time"]).to_xarray().reindex(time=months).assign_coords(time=axis)
    empty = np.full((arrays.sizes["site"], arrays.sizes["time"]), np.nan)
    values = [arrays[name].transpose("site", "time").values if name in arrays else empty for name in exchange.names]
    return xr.Dataset(
        {PREDICTION: (("site", "time", "flux"), np.stack(values, -1))},
        coords={"site": arrays["site"].values.astype(str), "time": axis, "flux": list(exchange.names)},
    )


def _months(column: pd.Series, what: str) -> pd.Series:
    """First day of each month."""
    texts = column.astype(str)
    found = pd.to_datetime(texts, format="ISO8601", errors="coerce")
    wrong = found.isna()
    if wrong.any():
        raise ValueError(
            f"{what}: {int(wrong.sum())} values of {column.name} are no date (first: {texts[wrong].iloc[0]}); write "
            "months as 2001-01 or 2001-01-15"
        )
    return pd.Series(found.to_numpy("datetime64[M]").astype("datetime64[ns]"), index=column.index)


def _numbers(column: pd.Series, what: str) -> pd.Series:
    """Numbers in double precision; empty ones stay empty."""
    found = pd.to_numeric(column, errors="coerce").astype(float)
    wrong = found.isna() & column.notna()
    if wrong.any():
        raise ValueError(
            f"{what}: {int(wrong.sum())} values of {column.name} are no numbers (first: {column[wrong].iloc[0]}); "
            "correct them, or leave them empty"
        )
    return found
