"""Simulations at single towers: a daily process-model ensemble and CMIP6 grid cells, as published with FluxCourse.

They are no towers and no grids, so no rule takes them; they are read for comparisons at DE-Tha, DK-Sor and US-MMS.

- ``ssem_{SITE}.csv``: medians of a small ensemble, daily, gC m-2 d-1; NEE = -NEP, RECO = Ra + Rh. Medians do not close:
  NEE differs from RECO - GPP, and both are given as they are.
- ``cmip6_{MODEL}.csv`` (gC m-2 d-1) and ``{MODEL}_usmms_monthly.csv`` (kgC m-2 s-1): monthly gpp, ra, rh, lai of one
  cell; RECO = ra + rh, NEE = RECO - GPP. The raw files' nbp has fire and land use in it and is not NEE.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.ingest.months import month_number, time_coordinates
from dere.ingest.tables import numeric, read_table, require_columns
from dere.ingest.tower.aggregate import full_steps, monthly_means
from dere.ingest.tower.stamps import steps_of, text_times
from dere.variables import FLUX_UNIT, VARIABLES, convert, count_out_of_range

NAME = re.compile(r"(ssem_[A-Z]{2}-[A-Za-z0-9]{3}|cmip6_[A-Za-z0-9-]+|[A-Za-z0-9-]+_[a-z]+_monthly)\.csv(\.gz)?")
_ENSEMBLE = {"nep": "NEP_median", "gpp": "GPP_median", "ra": "Ra_median", "rh": "Rh_median"}
_CELL = {
    FLUX_UNIT: {"gpp": "gpp_gCm2d", "ra": "ra_gCm2d", "rh": "rh_gCm2d"},
    "kgC m-2 s-1": {"gpp": "gpp_kgC_m2_s", "ra": "ra_kgC_m2_s", "rh": "rh_kgC_m2_s"},
}
_LAI = "lai_m2_m2"


def parse_ensemble(table: pd.DataFrame, source: str) -> xr.Dataset:
    """Monthly means of the daily ensemble medians.

    Returns
    -------
    xarray.Dataset
        gpp, ra, rh, reco, nee over ``time`` (mid-month), gC m-2 d-1; a month without all its days is NaN.

    Raises
    ------
    ValueError
        Missing columns, disordered days, text in a number column.
    """
    require_columns(table, ["datetime", *_ENSEMBLE.values()], source)
    steps = steps_of(text_times(table["datetime"], "%Y-%m-%d", source, "datetime"), 1, source, "datetime")
    full = full_steps(np.unique(steps.month), 1)
    daily = {name: numeric(table, column, source) for name, column in _ENSEMBLE.items()}
    means = {name: monthly_means(steps.month, values, full, 1.0)[1] for name, values in daily.items()}
    fluxes = {name: means[name] for name in ("gpp", "ra", "rh")}
    fluxes |= {"reco": means["ra"] + means["rh"], "nee": -means["nep"]}
    return _dataset(np.unique(steps.month), fluxes, source)


def parse_cell(table: pd.DataFrame, source: str) -> xr.Dataset:
    """One grid cell of a CMIP6 model.

    Returns
    -------
    xarray.Dataset
        gpp, ra, rh, reco, nee (gC m-2 d-1) and lai over ``time`` (mid-month), NaN missing.

    Raises
    ------
    ValueError
        Missing columns, disordered or doubled months, text in a number column.
    """
    unit = next((u for u, columns in _CELL.items() if columns["gpp"] in table.columns), FLUX_UNIT)
    require_columns(table, ["year", "month", _LAI, *_CELL[unit].values()], source)
    year, month = numeric(table, "year", source), numeric(table, "month", source)
    bad = ~((month >= 1) & (month <= 12) & (month % 1 == 0) & (year >= 1850) & (year <= 2350) & (year % 1 == 0))
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        raise ValueError(
            f"{source} has year {year[at]:g} and month {month[at]:g} in data row {at + 1}, but whole years and "
            "months 1 to 12 are expected; correct the row"
        )
    months = np.asarray(month_number(year.astype(np.int64), month.astype(np.int64)))
    if not len(months) or (np.diff(months) <= 0).any():
        raise ValueError(f"{source} has no rows, or months that do not increase; sort the rows and remove doubled ones")
    fluxes = {name: convert(numeric(table, c, source), unit, FLUX_UNIT, source) for name, c in _CELL[unit].items()}
    fluxes["reco"] = fluxes["ra"] + fluxes["rh"]
    fluxes["nee"] = fluxes["reco"] - fluxes["gpp"]
    return _dataset(months, {**fluxes, "lai": numeric(table, _LAI, source)}, source)


def _dataset(months: NDArray[np.int64], values: dict[str, NDArray[np.float64]], source: str) -> xr.Dataset:
    """Put months on a gap-free axis; values out of range are counted in the log."""
    first, count = int(months[0]), int(months[-1] - months[0]) + 1
    dataset = xr.Dataset(coords=time_coordinates(first, count), attrs={"source": source})
    for name, column in values.items():
        count_out_of_range(name, column, f"{source} {name}")
        full = np.full(count, np.nan)
        full[months - first] = column
        dataset[name] = ("time", full, VARIABLES[name].attrs)
    return dataset


def read_site_simulation(path: Path) -> xr.Dataset:
    """Read one file; its kind follows from its name.

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        When its name is none of the three kinds, or its content fails a check.
    """
    path = Path(path)
    if NAME.fullmatch(path.name) is None:
        raise ValueError(
            f"{path.name} is not named ssem_{{SITE}}.csv, cmip6_{{MODEL}}.csv or {{MODEL}}_{{site}}_monthly.csv; keep "
            "the source's own file name"
        )
    parse = parse_ensemble if path.name.startswith("ssem_") else parse_cell
    return parse(read_table(path), path.name)
