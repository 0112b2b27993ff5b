"""The missing-driver rule (docs/data.md#rules): every core driver of every month of a record, or the site is dropped.

Per driver and month: the reanalysis column (debiased with the tower's own data, alike at all sites); else the tower's
own filled column; else the site's climatology of that driver, flagged and counted. A site whose climatology share in
one driver exceeds a limit, or that has no value of a driver at all, is dropped with a sentence. Months outside the
record stay NaN.

CO2 is the global record, because a tower's column carries local respiration. Where the column is known to be clean it
is used, and its gaps take the global record shifted to the column's level: a climatology would lose the trend.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.harmonise.axis import month_number, monthly_climatology
from dere.harmonise.co2 import global_co2
from dere.variables import MONTHLY8, VARIABLES

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Completed:
    """Complete drivers, how each month was filled, and the sites that could not be completed."""

    dataset: xr.Dataset
    counts: pd.DataFrame
    dropped: dict[str, str]


def complete_drivers(towers: xr.Dataset, maximum_gap: float, use_tower_co2: bool = False) -> Completed:
    """Apply the rule.

    Parameters
    ----------
    towers
        (site, time): per driver ``d`` and ``d_reanalysis`` (either may be absent), ``in_record``; coordinate ``lat``.
    maximum_gap
        Largest share of a record's months that climatology may fill in one driver.
    use_tower_co2
        Use the towers' CO2 column; otherwise the global record.

    Returns
    -------
    Completed
        ``dataset``: kept sites, the eight drivers (site, time), NaN outside the record, ``record`` and
        ``driver_filled`` (a month with climatology in any driver). ``counts``: site, step "drivers", reason
        "<driver>: tower", "<driver>: climatology" or "co2: global record", months. ``dropped``: site to sentence.
    """
    record = towers["in_record"].transpose("site", "time").values.astype(bool)
    month = month_number(towers["time"].values) % 12
    sites = towers["site"].values.astype(str)
    length = np.maximum(record.sum(1), 1)
    filled = np.zeros(record.shape, bool)
    drivers: dict[str, NDArray] = {}
    counts: list[pd.DataFrame] = []
    dropped: dict[str, str] = {}
    for site in sites[~record.any(1)].tolist():
        dropped[site] = f"site {site} has no month in its record, at least one is needed; remove its file"
    for name in MONTHLY8:
        if name == "co2":
            drivers[name], shifted = _co2(towers, record, use_tower_co2)
            counts.append(count_months(sites, "co2: global record", shifted))
            continue
        reanalysis, own = _column(towers, f"{name}_reanalysis", record), _column(towers, name, record)
        values = preferred_column(towers, name, record)
        gap = record & np.isnan(values)
        climatology = monthly_climatology(values, month)[:, month]
        drivers[name] = np.where(gap, climatology, values)
        filled |= gap
        from_tower = record & np.isnan(reanalysis) & np.isfinite(own)
        counts += [count_months(sites, f"{name}: tower", from_tower), count_months(sites, f"{name}: climatology", gap)]
        share = gap.sum(1) / length
        for index in np.flatnonzero(share > maximum_gap):
            dropped.setdefault(
                sites[index],
                f"site {sites[index]} lacks {name} in {gap[index].sum()} of {length[index]} months "
                f"({share[index]:.0%}), at most {maximum_gap:.0%} may come from its climatology; give a complete "
                f"{name} column or raise harmonise.maximum_driver_gap",
            )
        for index in np.flatnonzero((np.isnan(drivers[name]) & record).any(1)):
            dropped.setdefault(
                sites[index],
                f"site {sites[index]} has no value of {name} in its record, a complete driver is needed; "
                "give the column",
            )
    for sentence in dropped.values():
        log.warning("%s; it is dropped", sentence)
    keep = ~np.isin(sites, list(dropped))
    if not keep.any():
        raise ValueError(
            f"none of {len(sites)} sites has complete drivers (first: {next(iter(dropped.values()), 'no site')}); "
            "check the driver columns of the tower files"
        )
    result = towers.drop_vars(list(towers.data_vars)).isel(site=keep)
    for name, values in drivers.items():
        result[name] = (("site", "time"), values[keep].astype(np.float32), VARIABLES[name].attrs)
    result["record"] = (("site", "time"), record[keep])
    result["driver_filled"] = (("site", "time"), filled[keep])
    table = pd.concat(counts, ignore_index=True) if counts else pd.DataFrame()
    return Completed(result, table[table["months"] > 0].reset_index(drop=True), dropped)


def _co2(towers: xr.Dataset, record: NDArray, use_own: bool) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """CO2 (site, time) within the record, and where it is the global record."""
    background = global_co2(towers["time"].values, towers["lat"].values)
    values = preferred_column(towers, "co2", record) if use_own else np.full(record.shape, np.nan)
    present = np.isfinite(values)
    departure = np.where(present, values - background, 0.0).sum(1) / np.maximum(present.sum(1), 1)
    filled = np.where(present, values, background + departure[:, None])
    return np.where(record, filled, np.nan), record & ~present


def count_months(sites: NDArray, reason: str, where: NDArray) -> pd.DataFrame:
    """Rows of ``counts`` for one way of filling: months per site of ``where`` (site, time)."""
    return pd.DataFrame({"site": sites.astype(str), "step": "drivers", "reason": reason, "months": where.sum(1)})


def preferred_column(towers: xr.Dataset, name: str, record: NDArray) -> NDArray[np.float64]:
    """Monthly values (site, time) of a driver: the reanalysis column, else the tower's; NaN = neither."""
    reanalysis = _column(towers, f"{name}_reanalysis", record)
    return np.where(np.isfinite(reanalysis), reanalysis, _column(towers, name, record))


def _column(towers: xr.Dataset, name: str, record: NDArray) -> NDArray[np.float64]:
    if name not in towers:
        return np.full(record.shape, np.nan)
    return np.where(record, towers[name].transpose("site", "time").values.astype(float), np.nan)
