"""Provenance of the canonical set: what every file gave, what was kept of it, and what was dropped and why."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from dere.ingest.provenance import COLUMNS


def provenance_table(
    tables: Mapping[str, pd.DataFrame], counts: pd.DataFrame, dropped: Mapping[str, str]
) -> pd.DataFrame:
    """Join the ingest tables with the outcome per site.

    Parameters
    ----------
    tables
        Source ("simulation", "cover", "towers") to the table that ingest made of its files (one row per file).
    counts
        site, step, reason, months (see ``labels`` and ``gaps``).
    dropped
        Site to the sentence that says why it was dropped.

    Returns
    -------
    DataFrame
        One row per file, the columns of ``dere.ingest.provenance.COLUMNS`` first; files of sites also have
        ``labels_kept`` (months with every flux), ``labels_rejected``, ``labels_nee_alone`` (those of the rejected that
        keep NEE), ``months_by_climatology`` and ``dropped``.
    """
    parts = [table.assign(source=source) for source, table in tables.items() if len(table)]
    if not parts:
        return pd.DataFrame(columns=["source", "file"])
    table = pd.concat(parts, ignore_index=True)
    first = [name for name in COLUMNS if name in table]
    table = table[[*first, *(name for name in table if name not in first)]]
    if "site" not in table:
        return table
    kept = counts[counts["reason"] == "kept"].groupby("site")["months"].sum()
    rejected = counts[(counts["step"] == "labels") & (counts["reason"] != "kept")].groupby("site")["months"].sum()
    alone = counts[counts["step"] == "nee alone"].groupby("site")["months"].sum()
    filled = counts[counts["reason"].str.endswith(": climatology")].groupby("site")["months"].max()
    is_site = table["site"].notna() & (table["site"] != "")
    of_site = {
        "labels_kept": kept,
        "labels_rejected": rejected,
        "labels_nee_alone": alone,
        "months_by_climatology": filled,
    }
    for name, values in of_site.items():
        table[name] = table["site"].map(values).fillna(0).where(is_site)
    table["dropped"] = table["site"].map(dict(dropped)).fillna("")
    return table
