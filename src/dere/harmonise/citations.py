"""What a user of a run must cite: each product once, and each site that has a DOI of its own."""

from __future__ import annotations

import pandas as pd

from dere.harmonise.origin import used

CITATION_COLUMNS = ("product", "version", "licence", "citation", "url", "files", "sites")
_MANY = 5


def citations(provenance: pd.DataFrame) -> pd.DataFrame:
    """Citations of a run.

    Parameters
    ----------
    provenance
        ``tables/provenance.csv``; rows of files that gave nothing (superseded, dropped, ignored) are passed over.
        ``site_doi`` and ``site_citation`` are optional.

    Returns
    -------
    DataFrame
        ``CITATION_COLUMNS``: one row per product, licence and citation with the number of its files and sites, then
        one row per site with a DOI of its own. Metadata and tables without a citation of their own stand there too,
        with what their licence asks for.
    """
    rows = used(provenance)
    if not len(rows) or "product" not in rows:
        return pd.DataFrame(columns=list(CITATION_COLUMNS))
    rows = rows.assign(
        **{name: rows[name].fillna("").astype(str) if name in rows else "" for name in (*CITATION_COLUMNS[:5], "site")}
    )
    parts = [
        {
            "product": product,
            "version": _versions(group["version"]),
            "licence": licence,
            "citation": citation,
            "url": url,
            "files": len(group),
            "sites": group.loc[group["site"] != "", "site"].nunique(),
        }
        for (product, licence, citation, url), group in rows.groupby(
            ["product", "licence", "citation", "url"], sort=False
        )
    ]
    return pd.DataFrame([*parts, *_of_sites(rows)], columns=list(CITATION_COLUMNS))


def _versions(column: pd.Series) -> str:
    """Versions, each once; of many only how many."""
    texts = sorted({text for text in column if text})
    return "; ".join(texts) if len(texts) <= _MANY else f"{len(texts)} versions, see provenance.csv"


def _of_sites(rows: pd.DataFrame) -> list[dict[str, object]]:
    """Rows of the sites that have a DOI of their own, by site."""
    if "site_doi" not in rows:
        return []
    stated = rows[rows["site_doi"].fillna("").astype(str) != ""].drop_duplicates(["site", "site_doi"])
    return [
        {
            "product": f"{row['product']}, site {row['site']}",
            "version": row["version"],
            "licence": row["licence"],
            "citation": str(row.get("site_citation") or f"site {row['site']}, doi {row['site_doi']}"),
            "url": f"https://doi.org/{row['site_doi']}",
            "files": 1,
            "sites": 1,
        }
        for row in stated.sort_values("site").fillna({"site_citation": ""}).to_dict("records")
    ]
