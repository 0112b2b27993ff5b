"""Annual sums of fluxes that somebody knows of sites of her own: from an inventory, an inversion, biometry."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from dere.ingest.tables import numeric, read_table, require_columns
from dere.ingest.tower.plain_table import FLUXES

STD = "_std"
"""What follows a flux's name in the column of its standard deviation."""
LARGEST = 8000.0
"""gC m-2 in a year that no ecosystem takes up or gives off."""


class YearSum(NamedTuple):
    """One sum.

    Parameters
    ----------
    year
        Calendar year.
    flux
        Name.
    value, std
        gC m-2 in the year, and its standard deviation.
    """

    year: int
    flux: str
    value: float
    std: float


def read_own_sums(path: Path, only_site: str | None = None) -> dict[str, list[YearSum]]:
    """Read annual sums of sites.

    Parameters
    ----------
    path
        Columns ``site``, ``year`` and any of ``gpp``, ``reco``, ``nee`` (gC m-2 per year), each with its standard
        deviation, ``<flux>_std``.
    only_site
        Site of a table that has no column ``site``.

    Returns
    -------
    dict
        Site to its sums.

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        When a column or a standard deviation is missing, a year is none or occurs twice, or a value is impossible.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist, but a table of annual sums is expected; correct the path")
    source = path.name
    table = read_table(path)
    if "site" not in table and only_site is not None:
        table = table.assign(site=only_site)
    require_columns(table, ("site", "year"), source)
    there = [name for name in FLUXES if name in table]
    if not there:
        raise ValueError(f"{source} has none of the columns {', '.join(FLUXES)}, but at least one is expected; add it")
    require_columns(table, tuple(f"{name}{STD}" for name in there), source)
    table = table[table["site"].notna()]
    found: dict[str, list[YearSum]] = {}
    for site, rows in table.assign(site=table["site"].astype(str).str.strip()).groupby("site", sort=True):
        where = f"{source}: site {site}"
        sums = _of_site(rows.reset_index(drop=True), there, where)
        if sums:
            found[str(site)] = sums
    if not found:
        raise ValueError(
            f"{source}: no row has a number of {', '.join(there)}, but annual sums are expected; write them"
        )
    return found


def _of_site(rows: pd.DataFrame, there: list[str], where: str) -> list[YearSum]:
    years = numeric(rows, "year", where)
    if not np.isfinite(years).all() or (years % 1 != 0).any() or not ((years >= 1900) & (years <= 2200)).all():
        wrong = rows["year"][~(np.isfinite(years) & (years % 1 == 0) & (years >= 1900) & (years <= 2200))].iloc[0]
        raise ValueError(f"{where}: year {wrong} is no calendar year, but one like 2005 is expected; correct it")
    if len(np.unique(years)) < len(years):
        twice = int(pd.Series(years)[pd.Series(years).duplicated()].iloc[0])
        raise ValueError(f"{where}: year {twice} stands twice, but once is expected; remove a row")
    sums = []
    for name in there:
        values, stds = numeric(rows, name, where), numeric(rows, f"{name}{STD}", where)
        for year, value, std in zip(years, values, stds, strict=True):
            if not np.isfinite(value):
                continue
            if abs(value) > LARGEST:
                raise ValueError(
                    f"{where}: {name} of {int(year)} is {value:g}, but at most {LARGEST:g} gC m-2 in a year are "
                    "expected; convert it to gC m-2 per year"
                )
            if not (np.isfinite(std) and std >= 0):
                raise ValueError(
                    f"{where}: {name}{STD} of {int(year)} is {std:g}, but the standard deviation of {name} in gC m-2 "
                    "per year is expected; write it"
                )
            sums.append(YearSum(int(year), name, float(value), float(std)))
    return sums
