"""What a run dropped, filled or replaced: rows of ``tables/changes.csv``, made of what the jobs write anyway.

Each row is one kind of change of one rule, with how many files, sites, months or values it touched and the first of
them. Nothing is a change that simply is not there: months without a measurement, files beside the data for people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from dere.ingest import unread

DROPPED, FILLED, REPLACED = "dropped", "filled", "replaced"
KINDS = (DROPPED, FILLED, REPLACED)
NOTHING = "Nothing was dropped, filled or replaced."
ROLE_DROPPED = "dropped: "
"""What the role of a file in ``provenance.csv`` begins with whose site is not used."""
_NAMED = 3
_LABELS = {
    "closure": "published RECO differs from NEE + GPP",
    "impossible": "impossible values",
    "repeated": "runs of repeated values",
    "odd": "do not fit the tower's own record",
}
"""Why months are no labels (``counts.csv``), in words; other reasons speak for themselves."""
_ABSENT = ("kept", "missing", "no_")
"""Reasons of months that never had a label."""
_OWN_CYCLE = "climatology"
"""What `dere.harmonise.gaps` calls the mean of a site's own months of that name."""
_TABLES = {"cover_source": "plant types", "age_source": "stand ages"}


class Change(NamedTuple):
    """A row of ``tables/changes.csv``.

    Parameters
    ----------
    rule
        Rule that did it.
    kind
        One of ``KINDS``.
    what
        What was done, or why.
    number, unit
        How many of what: files, sites, months or values.
    sites
        How many sites it touched; 0 for files that belong to none.
    first
        First files or sites, or the sentence about the first.
    where
        File of the run that holds each of them.
    """

    rule: str
    kind: str
    what: str
    number: int
    unit: str
    sites: int
    first: str
    where: str

    def __str__(self) -> str:
        """Return the row as text."""
        count = f"{self.number} {self.unit if self.number != 1 else self.unit.removesuffix('s')}"
        at = f" at {self.sites} site{'' if self.sites == 1 else 's'}" if self.sites and self.unit != "sites" else ""
        return f"{count}{at}: {self.what}" + (f" ({self.first})" if self.first else "")


def of_files(rule: str, accounts: pd.DataFrame, where: str) -> list[Change]:
    """Files that nobody reads though they may be data, and those at fault.

    Parameters
    ----------
    rule
        Rule that read the folder.
    accounts
        Its ``tables/sources*.csv`` (``dere.ingest.accounts.Account``).
    where
        Path of that table below the run.
    """
    if accounts.empty:
        return []
    found = []
    names = accounts["member"].fillna("").where(accounts["member"].fillna("") != "", accounts["file"]).astype(str)
    for (what, why), rows in names.groupby([accounts["what"], accounts["why"].fillna("")], sort=False):
        if what == unread.IGNORED:
            found.append(Change(rule, DROPPED, f"not read, {why}", len(rows), "files", 0, _first(rows), where))
    faulty = names[accounts["what"] == unread.DROPPED]
    if len(faulty):
        reasons = accounts.loc[faulty.index, "why"].fillna("")
        found.append(Change(rule, DROPPED, "at fault", len(faulty), "files", 0, str(reasons.iloc[0]), where))
    return found


def of_sites(provenance: pd.DataFrame, left: Iterable[str], where: str = "tables/provenance.csv") -> list[Change]:
    """Sites that are left out, by the rule that did so.

    Parameters
    ----------
    provenance
        ``tables/provenance.csv``.
    left
        Sites of the run.
    """
    if "site" not in provenance:
        return []
    sites, there = provenance["site"].fillna("").astype(str), set(left)
    lost = (sites != "") & ~sites.isin(there)
    role = provenance["role"].fillna("").astype(str)
    reasons = {"ingest_towers": role.where(role.str.startswith(ROLE_DROPPED), "").str.removeprefix(ROLE_DROPPED)}
    if "dropped" in provenance:
        reasons["harmonise"] = provenance["dropped"].fillna("").astype(str)
    found = []
    for rule, reason in reasons.items():
        rows = provenance.index[lost & (reason != "")]
        count = sites[rows].nunique()
        if count:
            found.append(Change(rule, DROPPED, "left out", count, "sites", count, str(reason[rows[0]]), where))
    return found


def of_merged(merged: pd.DataFrame, where: str = "tables/merged.csv") -> list[Change]:
    """Files of sites with several of which another is used."""
    if merged.empty or merged["used"].all():
        return []
    rows = merged[~merged["used"].astype(bool)]
    what = "another file of the site is used"
    sites = rows["site"].nunique()
    return [Change("ingest_towers", REPLACED, what, len(rows), "files", sites, _first(rows["file"]), where)]


def of_months(rule: str, counts: pd.DataFrame, where: str) -> list[Change]:
    """Values and months that were rejected or filled.

    Parameters
    ----------
    rule
        Rule that harmonised the exchange.
    counts
        site, step, reason, months (``counts.csv``).
    """
    found = []
    for (step, reason), rows in counts.groupby(["step", "reason"], sort=False):
        name, _, how = str(reason).partition(": ")
        kind, what, unit = "", "", "months"
        if step == "ingest":
            kind, what, unit = DROPPED, f"{name}, marks of missing values or impossible", "values"
        elif step == "labels" and not str(reason).startswith(_ABSENT):
            kind, what, unit = DROPPED, _LABELS.get(str(reason), str(reason)), "label months"
        elif step == "drivers" and how == _OWN_CYCLE:
            kind, what, unit = FILLED, f"{name} by the site's climatology", "driver months"
        elif step == "drivers" and how not in ("", "tower"):
            which = {"all": "all drivers", "other channels": "other channels"}.get(name, name)
            kind, what, unit = REPLACED, f"{which} by the {how}", "driver months"
        if kind:
            sites = rows["site"].astype(str)
            number = int(rows["months"].sum())
            found.append(Change(rule, kind, what, number, unit, sites.nunique(), _first(sites), where))
    return found


def of_towers(rule: str, towers: xr.Dataset, counts: pd.DataFrame, where: str) -> list[Change]:
    """Sites with labels too few to learn from, tables in place of maps, satellite channels that were filled.

    Parameters
    ----------
    towers
        Canonical towers of the exchange.
    counts
        As for :func:`of_months`.
    """
    found = []
    sites = towers["site"].values.astype(str)
    kept = counts[(counts["step"] == "labels") & (counts["reason"] == "kept") & (counts["months"] > 0)]["site"]
    few = sites[(towers["kind"].values == "predict") & np.isin(sites, kept.astype(str))]
    found.append((DROPPED, "labels too few or too poor to learn from", few))
    for name, what in _TABLES.items():
        if name in towers.coords:
            found.append((REPLACED, f"{what} by the table of the class", sites[towers[name].values == "igbp"]))
    if "igbp" in towers.coords:
        unknown = sites[towers["igbp"].values.astype(str) == ""]
        found.append((REPLACED, "class derived from its plant types and climate", unknown))
    rows = [
        Change(rule, kind, what, len(some), "sites", len(some), _first(some), where)
        for kind, what, some in found
        if len(some)
    ]
    record = towers["record"].transpose("site", "time").values.astype(bool)
    for name in (str(name) for name in towers.data_vars if str(name).endswith("_mask")):
        unseen = record & (towers[name].transpose("site", "time").values == 0)
        if unseen.any():
            some = sites[unseen.any(1)]
            what = f"{name.removesuffix('_mask')} where no satellite saw it"
            rows.append(Change(rule, FILLED, what, int(unseen.sum()), "months", len(some), _first(some), where))
    return rows


def of_labels(labels: xr.Dataset, where: str) -> list[Change]:
    """Months whose labels are imputed, as a whole or beside an observed NEE."""
    origin = labels["origin"].transpose("site", "time").values
    codes = dict(
        zip(str(labels["origin"].attrs["flag_meanings"]).split(), labels["origin"].attrs["flag_values"], strict=True)
    )
    sites = labels["site"].values.astype(str)
    found = []
    for name, what in (("imputed", "imputed"), ("partly_observed", "GPP and RECO imputed beside NEE")):
        months = origin == codes[name]
        if months.any():
            some = sites[months.any(1)]
            what = f"{what} for stages that learn from them (fold {labels.attrs['fold']})"
            found.append(Change("impute_labels", FILLED, what, int(months.sum()), "label months", len(some), "", where))
    return found


def table_of(changes: Sequence[Change]) -> pd.DataFrame:
    """Table of changes, by kind and in the order of the steps."""
    ordered = sorted(changes, key=lambda change: KINDS.index(change.kind))
    return pd.DataFrame(ordered, columns=list(Change._fields))


def changes_in(table: pd.DataFrame) -> list[Change]:
    """Changes of a table that was read again."""
    columns = table[list(Change._fields)].fillna("").itertuples(index=False)
    return [Change(*row) for row in columns]


def lines(changes: Iterable[Change], most: int = 4) -> list[str]:
    """Lines for people: what was dropped, filled and replaced, at most so many of each; or that nothing was."""
    by_kind: Mapping[str, list[Change]] = {kind: [] for kind in KINDS}
    for change in changes:
        by_kind[change.kind].append(change)
    found = []
    for kind, some in by_kind.items():
        found += [f"{kind} {change}" for change in some[:most]]
        if len(some) > most:
            found.append(f"{kind} {len(some) - most} more kinds")
    return found


def _first(names: Iterable[object]) -> str:
    """First of some names, each once."""
    each = list(dict.fromkeys(map(str, names)))
    return ", ".join(each[:_NAMED]) + (", ..." if len(each) > _NAMED else "")
