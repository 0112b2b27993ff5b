"""Tables of stand-age weights, by cell (lat, lon) or by site (docs/data.md#plant-types-and-stand-ages)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from dere.ingest.checks import check_coordinates
from dere.ingest.tables import numeric, read_table, require_columns
from dere.ingest.tower.site_ids import ALIASES
from dere.variables import VARIABLES

log = logging.getLogger(__name__)

SUM_TOLERANCE = 1e-2


def parse_weights(table: pd.DataFrame, ages: Sequence[int], source: str) -> tuple[np.ndarray, int]:
    """Weights of the ages, summing to 1 exactly.

    Parameters
    ----------
    table
        Columns weight_1 ... weight_n in the order of ``ages``.
    ages
        Stand ages of the run.
    source
        File name for messages.

    Returns
    -------
    tuple
        Weights of shape (row, age), and how many rows were off 1 by more than rounding (1e-6) and renormalised.

    Raises
    ------
    ValueError
        Another number of weights than ages, a negative or missing weight, a sum off 1 by more than
        ``SUM_TOLERANCE``.
    """
    columns = [f"weight_{i + 1}" for i in range(len(ages))]
    require_columns(table, columns, source)
    extra = [c for c in table.columns if str(c).startswith("weight_") and c not in columns]
    if extra:
        raise ValueError(
            f"{source} has {len(columns) + len(extra)} weight columns, but the run has {len(ages)} stand ages; give "
            "one weight per age"
        )
    weights = np.stack([numeric(table, column, source) for column in columns], axis=1)
    for row, values in enumerate(weights):
        if not np.isfinite(values).all() or values.min() < 0:
            raise ValueError(
                f"{source}: data row {row + 1} has a missing or negative weight, but shares of 0 to 1 are needed; "
                "correct the row"
            )
    total = weights.sum(axis=1)
    off = np.abs(total - 1)
    if len(off) and off.max() > SUM_TOLERANCE:
        row = int(off.argmax())
        raise ValueError(
            f"{source}: the weights of data row {row + 1} sum to {total[row]:g}, but 1 within {SUM_TOLERANCE:g} is "
            "needed; renormalise the row"
        )
    renormalised = int((off > 1e-6).sum())
    if renormalised:
        log.info("%s: %d of %d rows renormalised to a sum of 1", source, renormalised, len(total))
    return weights / total[:, None], renormalised


def parse_grid(table: pd.DataFrame, ages: Sequence[int], source: str) -> xr.Dataset:
    """Age weights ``age_weight(point, age)`` with coordinates lat and lon of each point.

    Raises
    ------
    ValueError
        See :func:`parse_weights`; also impossible or repeated coordinates.
    """
    require_columns(table, ["lat", "lon"], source)
    lat, lon = numeric(table, "lat", source), numeric(table, "lon", source)
    for one_lat, one_lon in zip(lat, lon, strict=True):
        check_coordinates(one_lat, one_lon, source)
    repeated = pd.DataFrame({"lat": lat, "lon": lon}).duplicated().to_numpy()
    if repeated.any():
        row = int(np.flatnonzero(repeated)[0])
        raise ValueError(
            f"{source}: data row {row + 1} repeats the point {lat[row]:g}, {lon[row]:g}, but each may occur once; "
            "remove a row"
        )
    weights, renormalised = parse_weights(table, ages, source)
    return xr.Dataset(
        {"age_weight": (("point", "age"), weights, VARIABLES["age_weight"].attrs)},
        coords={"lat": ("point", lat), "lon": ("point", lon), "age": list(ages)},
        attrs={"renormalised": renormalised},
    )


def parse_sites(table: pd.DataFrame, ages: Sequence[int], source: str) -> xr.Dataset:
    """Age weights ``age_weight(site, age)``.

    Raises
    ------
    ValueError
        See :func:`parse_weights`; also a repeated site.
    """
    require_columns(table, ["SITE_ID"], source)
    sites = table["SITE_ID"].astype(str).str.strip().replace(ALIASES)
    if sites.duplicated().any():
        raise ValueError(
            f"{source} lists site {sites[sites.duplicated()].iloc[0]} more than once, but each site may stand there "
            "once; remove a row"
        )
    weights, renormalised = parse_weights(table, ages, source)
    return xr.Dataset(
        {"age_weight": (("site", "age"), weights, VARIABLES["age_weight"].attrs)},
        coords={"site": sites.to_numpy(dtype=object), "age": list(ages)},
        attrs={"renormalised": renormalised},
    )


def read_grid_age_weights(path: Path, ages: Sequence[int]) -> xr.Dataset:
    """Read ``lat_lon_age_weights.csv`` (see :func:`parse_grid`)."""
    path = Path(path)
    return parse_grid(read_table(path), ages, path.name)


def read_site_age_weights(path: Path, ages: Sequence[int]) -> xr.Dataset:
    """Read ``site_age_weights.csv`` (see :func:`parse_sites`)."""
    path = Path(path)
    return parse_sites(read_table(path), ages, path.name)


def read_ages(path: Path, ages: Sequence[int], degrees: float) -> xr.Dataset:
    """Read ``lat_lon_age_weights.csv``, whose points stand where they stand, whatever the cell size of the run."""
    return read_grid_age_weights(path, ages)
