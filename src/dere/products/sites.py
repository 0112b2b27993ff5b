"""Every site of a run with its role: which prediction it has, and why it has no better one or none at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.harmonise.site_roles import COORDINATE, CROSS_VALIDATED, SEEN, UNSEEN

COLUMNS = ("site", "role", "fold", "labelled_months", "why")
DROPPED = "dropped"
"""Role of a site that the files hold and the run does not."""
ROLES = (CROSS_VALIDATED, UNSEEN, SEEN, DROPPED)
_INGEST = "dropped: "
"""Begins the role of a file in the provenance table whose site ingest dropped."""


def site_table(
    predictions: xr.Dataset,
    towers: xr.Dataset,
    splits: pd.DataFrame,
    folds: Sequence[int],
    dropped: Mapping[str, str],
    exchange: Exchange = CO2,
) -> pd.DataFrame:
    """List the sites.

    Parameters
    ----------
    predictions
        ``ensemble.nc`` of a method: ``role(site)``.
    towers
        Canonical towers: all sites of the run, ``flux_value``.
    splits
        Fold of every site.
    folds
        Folds that the run tests.
    dropped
        Site that is not among the towers to the sentence that says why.
    exchange
        Whose labels are counted.

    Returns
    -------
    DataFrame
        Columns ``COLUMNS``: ``fold`` is the site's own, empty where it is in none; ``labelled_months`` are months with
        a usable label of any flux, before any threshold of quality; ``why`` says why the site has this role.
    """
    own = splits[splits["kind"] == "site"].set_index("id")["fold"]
    roles = dict(zip(*(predictions[name].values.astype(str) for name in ("site", COORDINATE)), strict=True))
    labels = towers["flux_value"].sel(flux=list(exchange.names)).transpose("site", "time", "flux").values
    months = np.isfinite(labels).any(-1).sum(1)
    rows: list[tuple[str, str, int | None, int, str]] = []
    for site, count in zip(towers["site"].values.astype(str), months, strict=True):
        fold = int(own[site])
        why = _why(roles[site], fold, folds, labelled=count > 0)
        rows.append((site, roles[site], fold if fold >= 0 else None, int(count), why))
    rows += [(site, DROPPED, None, 0, f"{why}; see sources.csv") for site, why in sorted(dropped.items())]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"fold": "Int64"})


def dropped_sites(provenance: pd.DataFrame, sites: Sequence[str]) -> dict[str, str]:
    """Return why each site of the tower files is not among those of the run; the first reason of several files.

    Parameters
    ----------
    provenance
        ``tables/provenance.csv``: ingest says it in ``role``, harmonise in ``dropped``.
    sites
        Those of the run.
    """
    if not {"site", "role", "dropped"} <= set(provenance):
        return {}
    rows = provenance[(provenance["source"] == "towers") & provenance["site"].notna()]
    rows = rows[~rows["site"].astype(str).isin(list(sites))]
    role, later = (rows[name].fillna("").astype(str) for name in ("role", "dropped"))
    why = role.str.removeprefix(_INGEST).where(role.str.startswith(_INGEST), later)
    found: dict[str, str] = {}
    for site, text in zip(rows["site"].astype(str), why, strict=True):
        if text:
            found.setdefault(site, text)
    return found


def counted(table: pd.DataFrame) -> str:
    """Say in one line how many sites have which role.

    Examples
    --------
    >>> counted(pd.DataFrame({"role": ["cross_validated", "seen_in_training"], "labelled_months": [9, 9]}))
    '2 towers: 1 cross-validated, 1 seen in training'
    """
    labelled = table[table["labelled_months"] > 0]
    words = {CROSS_VALIDATED: "cross-validated", UNSEEN: "unseen", SEEN: "seen in training"}
    of_towers = [f"{n} {text}" for role, text in words.items() if (n := int((labelled["role"] == role).sum()))]
    others = int(((table["labelled_months"] == 0) & (table["role"] != DROPPED)).sum())
    lost = int((table["role"] == DROPPED).sum())
    towers = f"{len(labelled)} {'tower' if len(labelled) == 1 else 'towers'}: {', '.join(of_towers)}"
    rest = "1 site without labels: predicted by what never saw it"
    if others > 1:
        rest = f"{others} sites without labels: predicted by what never saw them"
    told = {towers: len(labelled), rest: others, f"{lost} dropped": lost}
    return "; ".join(text for text, count in told.items() if count)


def _why(role: str, fold: int, folds: Sequence[int], labelled: bool) -> str:
    """Why a site has its role."""
    if role == CROSS_VALIDATED:
        return f"test tower of fold {fold}"
    if role == UNSEEN and labelled:
        return "it has labels, but the split puts it in no fold, so that no model has seen it"
    if role == UNSEEN:
        return "no flux has labels in enough good months, so that it is in no fold and no model has seen it"
    run = ", ".join(map(str, folds))
    return f"its fold {fold} is not run (folds: {run}), so that every model has used its labels; add {fold} to folds"
