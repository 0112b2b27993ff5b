"""Predictions of others, brought into the form of a prediction file; what they lack is the judge's to say."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from dere.exchange import Exchange
from dere.ingest.rows import require_unique, require_width
from dere.ingest.tables import check_widths, read_text
from dere.io import read_netcdf
from dere.regular_file import require_regular
from dere.variables import convert

PREDICTION = "prediction"
SPREADS = ("std", "quantile_value")
"""Variables in the unit of the prediction."""
TIMES = ("time", "month")
"""Columns that may hold the month."""


def read(given: xr.Dataset | pd.DataFrame | str | Path) -> tuple[xr.Dataset | pd.DataFrame, str]:
    """Read a csv or NetCDF file; return its content and what messages call it. Data come back as they are.

    Raises
    ------
    FileNotFoundError
        When the file does not exist.
    ValueError
        When it cannot be read, or something else than data or a path is given.
    """
    if isinstance(given, (xr.Dataset, pd.DataFrame)):
        return given, "predictions"
    if not isinstance(given, (str, Path)):
        raise ValueError(
            f"predictions: a {type(given).__name__} is given, but a dataset, a table or the path of a csv or NetCDF "
            "file is expected as first argument, and the run as second; correct the call"
        )
    path = Path(given)
    if path.is_dir():
        raise ValueError(f"{path} is a folder, but a csv or NetCDF (.nc) file is expected; name the file in it")
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist, but a csv or NetCDF (.nc) file is expected; correct the path")
    require_regular(path, "name a csv or NetCDF (.nc) file")
    return (read_netcdf(path) if path.suffix == ".nc" else read_csv(path)), str(path)


def read_csv(path: Path) -> pd.DataFrame:
    """Read a table; ids of sites are texts as they stand there (one may be called NA), numbers to the last bit.

    Raises
    ------
    ValueError
        When it is empty, no text or separated otherwise, a row has more or fewer fields than the header, or a name
        stands there twice.
    """
    content = read_text(path)
    try:
        names = next(csv.reader(io.StringIO(content.decode("utf-8").lstrip(), newline="")))
        for separator, word in ((";", ";"), ("\t", "a tab")):
            if len(names) == 1 and separator in names[0]:
                raise ValueError(f"{path}: the separator looks like {word}, but a comma is expected; write commas")
        require_width(len(names), str(path))
        require_unique(names, str(path))
        check_widths(content, b",", len(names) - 1, str(path))
        table = pd.read_csv(io.BytesIO(content), index_col=False, float_precision="round_trip")
        if "site" in table:
            # apart, because what means an empty number may be the id of a site
            ids = pd.read_csv(io.BytesIO(content), index_col=False, usecols=["site"], dtype=str, keep_default_na=False)
            table["site"] = ids["site"]
        return table
    except (UnicodeDecodeError, csv.Error, pd.errors.ParserError) as error:
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
        ``month``, and one per flux. In the unit of the fluxes, or a dataset that states another one.
    axis
        Months that are judged (``time`` of the towers); other months are left out.
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
        When a column is missing or stands there twice, a site has no name, a date or number is none, a row occurs
        twice, or a unit cannot be converted.
    """
    if isinstance(given, xr.Dataset):
        given = in_unit(given, exchange, what)
        own = [name for name in exchange.names if name in given]
        if PREDICTION not in given and own:
            given = given[own].to_dataframe().reset_index()
    if isinstance(given, pd.DataFrame):
        given = of_table(given, axis, exchange, close, what)
    given = on_axis(given, axis)
    if close and PREDICTION in given and "flux" in given.indexes:
        given = given.reindex(flux=list(exchange.names))
        values = given[PREDICTION].sel(flux=list(exchange.names)).transpose(..., "flux")
        given = given.assign({PREDICTION: values.copy(data=exchange.close(values.values))})
    return given.assign_attrs({**attrs, **given.attrs})


def in_unit(given: xr.Dataset, exchange: Exchange, what: str) -> xr.Dataset:
    """Return a dataset in the unit of the fluxes; a variable that states no unit is taken to be in it.

    Raises
    ------
    ValueError
        When a stated unit cannot be converted.
    """
    units = {flux.name: flux.unit for flux in exchange.fluxes}
    units |= dict.fromkeys((PREDICTION, *SPREADS), exchange.fluxes[0].unit)
    for name, unit in units.items():
        stated = given[name].attrs.get("units", unit) if name in given else unit
        if stated != unit:
            values = convert(given[name].values, str(stated), unit, f"{what}: {name}")
            given = given.assign({name: given[name].copy(data=values).assign_attrs(units=unit)})
    return given


def on_axis(given: xr.Dataset, axis: np.ndarray) -> xr.Dataset:
    """Return a dataset without the months that are not judged, where it has all that are; else as it is."""
    if PREDICTION not in given or "time" not in given.indexes or given["time"].dtype.kind != "M":
        return given
    months = pd.Index(given["time"].values.astype("datetime64[M]").astype("datetime64[ns]"))
    places = months.get_indexer(axis.astype("datetime64[M]").astype("datetime64[ns]")) if months.is_unique else None
    return given if places is None or (places < 0).any() else given.isel(time=places)


def of_table(table: pd.DataFrame, axis: np.ndarray, exchange: Exchange, close: bool, what: str) -> xr.Dataset:
    """Return the dataset of a table; `as_prediction` explains the parameters and what is raised."""
    require_unique([str(name) for name in table.columns], what)
    when = next((name for name in TIMES if name in table), None)
    needed = free_fluxes(exchange) if close else exchange.names
    wanted = [name for name in exchange.names if name in table or name in needed]
    missing = [name for name in ("site", *wanted) if name not in table] + ([] if when else [" or ".join(TIMES)])
    if missing:
        there = ", ".join(map(str, table.columns))
        lacking = ", ".join(missing) + " is missing" + _hint(table, missing)
        raise ValueError(
            f"{what}: it has the columns {there}, but {lacking}; give a row per site and month with a column per flux"
        )
    assert when is not None
    if table.empty:
        raise ValueError(f"{what}: it has no rows, but one per site and month is expected; write them")
    rows = pd.DataFrame({"site": _sites(table["site"], what), "time": _months(table[when], what)})
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


def free_fluxes(exchange: Exchange) -> list[str]:
    """Return the fluxes that the others are computed from."""
    empty = np.where(np.eye(len(exchange.names), dtype=bool), np.nan, 1.0)
    unknown = np.isnan(exchange.close(empty)).any(-1)
    return [name for name, needed in zip(exchange.names, unknown, strict=True) if needed]


def _hint(table: pd.DataFrame, missing: list[str]) -> str:
    """What a missing column may hide behind."""
    names = [str(name) for name in table.columns]
    alike = [name for name in names if name not in missing and name.strip().lower() in missing]
    return f" ('{alike[0]}' must be written {alike[0].strip().lower()})" if alike else ""


def _sites(column: pd.Series, what: str) -> pd.Series:
    """Ids as texts without blanks around them."""
    texts = column.astype(str).str.strip()
    empty = (column.isna() | texts.isna() | (texts == "")).to_numpy()
    if empty.any():
        first = int(np.flatnonzero(empty)[0]) + 1
        raise ValueError(
            f"{what}: {int(empty.sum())} rows have no site (first: data row {first}); write the id of the tower into "
            "every row, or remove the rows"
        )
    return texts


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
