"""What a user of a run must cite: each product once, and each site that has a DOI or a citation of its own."""

from __future__ import annotations

import re

import pandas as pd

from dere.harmonise.origin import used

CITATION_COLUMNS = ("product", "version", "licence", "citation", "url", "files", "sites")
_MANY = 5
# a handle, as ICOS gives to its products, or another address; the marks after it belong to the sentence
_ADDRESS = re.compile(r"(?:https?://|hdl\.handle\.net/)[^\s<>\"]+[^\s<>\".,;:)\]]")


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
        one row per site with a DOI or a citation of its own. Metadata and tables without a citation of their own stand
        there too, with what their licence asks for.
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
    """Rows of the sites that have a DOI or a citation of their own, by site."""
    if "site_doi" not in rows:
        return []
    stated = rows.assign(
        **{name: rows[name].fillna("").astype(str) if name in rows else "" for name in ("site_doi", "site_citation")}
    )
    # a DOI says what is cited, whatever words stand around it
    stated["cited"] = stated["site_doi"].where(stated["site_doi"] != "", stated["site_citation"])
    stated = stated[stated["cited"] != ""].drop_duplicates(["site", "cited"])
    return [
        {
            "product": f"{row['product']}, site {row['site']}",
            "version": row["version"],
            "licence": row["licence"],
            "citation": row["site_citation"] or f"site {row['site']}, doi {row['site_doi']}",
            "url": f"https://doi.org/{row['site_doi']}" if row["site_doi"] else _address(row["site_citation"]),
            "files": 1,
            "sites": 1,
        }
        for row in stated.sort_values("site").to_dict("records")
    ]


def _address(citation: str) -> str:
    """Address within a citation without a DOI; empty where it holds none."""
    found = _ADDRESS.search(citation)
    return "" if found is None else found[0] if found[0].startswith("http") else f"https://{found[0]}"
