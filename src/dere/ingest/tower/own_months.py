"""Months of fluxes that somebody has measured at sites of her own: csv, or NetCDF over site and time."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.ingest.checks import check_unit
from dere.ingest.source import Column
from dere.ingest.tables import numeric, read_table, require_columns
from dere.ingest.tower.canonical import canonical, check_quality
from dere.ingest.tower.plain_table import FLUXES, month_numbers, named_alike, of_netcdf, require_once
from dere.variables import FLUX_UNIT

Array = NDArray[np.float64]

QUALITY = "quality"
"""Share of each month that was measured or filled well, of all fluxes; as in plain tables also ``nee_quality``."""


class OwnMonths(NamedTuple):
    """Fluxes of some months of a site.

    Parameters
    ----------
    month
        (month,) numbers on the time axis, rising.
    flux
        Name to (month,), gC m-2 d-1, NaN where there is none.
    quality
        (month,), 0 to 1.
    """

    month: NDArray[np.int64]
    flux: dict[str, Array]
    quality: Array


def read_own_months(path: Path, only_site: str | None = None) -> dict[str, OwnMonths]:
    """Read months of sites.

    Parameters
    ----------
    path
        Columns ``site``, ``month`` and at least one of ``gpp``, ``reco``, ``nee`` (gC m-2 d-1, or the unit in the
        header), ``quality`` where it is known; others are not looked at.
    only_site
        Site of a table that has no column ``site``.

    Returns
    -------
    dict
        Site to its months; months without any flux are left out.

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        When a column is missing, a month is none or occurs twice, a unit is unknown, or no flux is a number.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist, but a table of own months is expected; correct the path")
    source = path.name
    table, units = named_alike(of_netcdf(path) if path.suffix == ".nc" else read_table(path), source)
    if "month" not in table and "time" in table:
        table = table.rename(columns={"time": "month"})
    if "site" not in table and only_site is not None:
        table = table.assign(site=only_site)
    require_columns(table, ("site", "month"), source)
    there = [name for name in FLUXES if name in table]
    if not there:
        raise ValueError(f"{source} has none of the columns {', '.join(FLUXES)}, but at least one is expected; add it")
    if QUALITY not in table and "nee_quality" in table:
        table = table.rename(columns={"nee_quality": QUALITY})
    table = table[table["site"].notna()].assign(site=table["site"].astype(str).str.strip())
    found = {
        str(site): _of_site(rows.reset_index(drop=True), there, units, f"{source}: site {site}")
        for site, rows in table.groupby("site", sort=True)
    }
    known = {site: months for site, months in found.items() if len(months.month)}
    if not known:
        raise ValueError(
            f"{source}: no row has a number of {', '.join(there)}, but the months that are known are expected; write "
            "them (empty fields and -9999 are missing)"
        )
    return known


def _of_site(rows: pd.DataFrame, there: list[str], units: dict[str, str], where: str) -> OwnMonths:
    months = month_numbers(rows["month"], where)
    order = np.argsort(months, kind="stable")
    rows, months = rows.iloc[order].reset_index(drop=True), months[order]
    require_once(months, where)
    columns = [Column(name, FLUXES[name], units.get(name) or FLUX_UNIT) for name in there]
    values = canonical(rows, columns, where)
    flux = {name: values[FLUXES[name]] for name in there}
    for name, value in flux.items():
        check_unit(name, value, where, name)
    quality = np.ones(len(rows))
    if QUALITY in rows:
        given = numeric(rows, QUALITY, where)
        check_quality(given, where, QUALITY)
        quality = np.where(np.isfinite(given), np.clip(given, 0.0, 1.0), 1.0)
    some = np.isfinite(np.stack(list(flux.values()))).any(0)
    return OwnMonths(months[some], {name: value[some] for name, value in flux.items()}, quality[some])
