"""DOI and citation of single sites, where a source brings them.

AmeriFlux adds a table ``citations_for_site_data_*.csv`` to a download, whose lines before the header begin with "#".
BIF tables may state a DOI per site and product, listings of the shuttle a citation per product: a DOI at AmeriFlux, a
handle at ICOS, text only at TERN. Both come with the site metadata (``bif``).
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from itertools import product

import pandas as pd

from dere.ingest.archives import TableFile, label
from dere.ingest.table_text import separator_of
from dere.ingest.tables import encoding_of, read_text, require_columns
from dere.ingest.tower.record import SiteRecord
from dere.ingest.tower.site_ids import ALIASES

_DOI = re.compile(r"10\.\d{4,9}/\S+")
DOI_VARIABLES = ("DOI", "DOI_CITATION", "DOI_DATAPRODUCT")
# products that a table speaks of, where it does not speak of all: a site's file of another product has another DOI
_SPEAKS_OF = {
    "citations": ("ameriflux-fluxnet",),
    "listing": ("fluxnet-shuttle", "fluxcourse-sites", "ameriflux-fluxnet"),
    "bundled": ("fluxnet2015-bundled", "fluxnet-ch4-bundled"),
}
CITING = (*_SPEAKS_OF, "bif", "sites")
"""Kinds of tables with DOIs and citations, the first say first."""


def doi_of(text: object) -> str:
    """The DOI within a text ("https://doi.org/10.17190/AMF/1" gives "10.17190/AMF/1"), else empty."""
    found = _DOI.search(text) if isinstance(text, str) else None
    return found[0].rstrip(".,;)") if found else ""


def stated_dois(table: pd.DataFrame) -> pd.DataFrame:
    """DOI and citation by site of a BADM/BIF long table.

    A site may have a DOI for each of its products; rows of one GROUP_ID belong together. That of a FLUXNET product is
    preferred (a BASE product is not what is read, FLUXNET-CH4 has files of its own); of several the last counts.

    Parameters
    ----------
    table
        Columns SITE_ID, VARIABLE (of which ``DOI_VARIABLES``), DATAVALUE; without GROUP_ID all rows of a site belong
        together.

    Returns
    -------
    DataFrame
        ``doi`` and ``citation`` (text, may be empty), indexed by SITE_ID as it is written there.
    """
    rows = table[table["VARIABLE"].isin(DOI_VARIABLES) & table["DATAVALUE"].notna()]
    groups: dict[tuple[str, str], dict[str, str]] = {}
    group = rows["GROUP_ID"] if "GROUP_ID" in rows else [""] * len(rows)
    for site, number, variable, value in zip(rows["SITE_ID"], group, rows["VARIABLE"], rows["DATAVALUE"], strict=True):
        groups.setdefault((site, str(number)), {})[variable] = str(value).strip()
    found: dict[str, tuple[bool, str, str]] = {}
    for (site, _), stated in groups.items():
        citation = stated.get("DOI_CITATION", "")
        doi = doi_of(stated.get("DOI")) or doi_of(citation)
        product = stated.get("DOI_DATAPRODUCT", "").upper()
        preferred = "FLUXNET" in product and "CH4" not in product
        if (doi or citation) and (preferred or site not in found or not found[site][0]):
            found[site] = (preferred, doi, citation)
    pairs = [pair[1:] for pair in found.values()]
    return pd.DataFrame(pairs, index=pd.Index(list(found), name="SITE_ID", dtype=object), columns=["doi", "citation"])


def parse_site_citations(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """DOI and citation by site.

    Parameters
    ----------
    table
        Columns site_id, doi, citation; others are ignored.
    source
        File name for messages.

    Returns
    -------
    DataFrame
        ``doi`` and ``citation`` (text, may be empty), indexed by site.

    Raises
    ------
    ValueError
        Missing columns.
    """
    require_columns(table, ["site_id", "doi", "citation"], source)
    texts = table[["site_id", "doi", "citation"]].fillna("").astype(str)
    sites = texts["site_id"].str.strip().replace(ALIASES)
    found = pd.DataFrame(
        {"doi": texts["doi"].map(doi_of).to_numpy(), "citation": texts["citation"].str.strip().to_numpy()}
    )
    found.index = pd.Index(sites, name="site")
    return found[~found.index.duplicated()]


def read_site_citations(file: TableFile) -> pd.DataFrame:
    """Read a table of AmeriFlux (see :func:`parse_site_citations`).

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        When it is empty or no table.
    """
    content = b"\n".join(line for line in read_text(file).splitlines() if not line.startswith(b"#"))
    try:
        separator = separator_of(content.split(b"\n", 1)[0])
        table = pd.read_csv(io.BytesIO(content), dtype=str, sep=separator, encoding=encoding_of(content))
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{file} cannot be read as a table of citations ({' '.join(str(error).split())[:120]}); download it again, "
            "or leave it out and cite the sites by hand"
        ) from None
    return parse_site_citations(table, label(file))


def cited(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Rows of some tables with a DOI or a citation, below each other; a site's first counts."""
    texts = [table.reindex(columns=["doi", "citation"]).fillna("") for table in tables]
    stating = [table[(table["doi"] != "") | (table["citation"] != "")] for table in texts]
    stacked = pd.concat(stating) if stating else pd.DataFrame(columns=["doi", "citation"])
    return stacked[~stacked.index.duplicated()]


def citation_of(record: SiteRecord, tables: Mapping[str, pd.DataFrame], codes: Sequence[str] = ()) -> dict[str, str]:
    """``site_doi`` and ``site_citation`` of a record, empty where no table has them.

    Parameters
    ----------
    record
        A site's record.
    tables
        By kinds of ``CITING``; the first with a DOI or a citation counts, but ``citations`` (of AmeriFlux) and
        ``listing`` (of the shuttle) speak of their own products only.
    codes
        Codes of the tower under which to look, in order; that of the record by default.
    """
    for code, kind in product(codes or (record.site,), CITING):
        speaks_of = _SPEAKS_OF.get(kind, (record.product,))
        if kind not in tables or code not in tables[kind].index or record.product not in speaks_of:
            continue
        row = tables[kind].loc[code]
        citation = str(row.get("citation") or "")
        doi = doi_of(row.get("doi")) or doi_of(citation)
        if doi or citation:
            return {"site_doi": doi, "site_citation": citation}
    return {"site_doi": "", "site_citation": ""}
