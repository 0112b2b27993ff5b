"""DOI and citation of single sites, where a source brings them.

AmeriFlux adds a table ``citations_for_site_data_*.csv`` to a download, whose lines before the header begin with "#".
BIF tables may state a DOI per site, listings of the shuttle a citation per product; both come with the site metadata
(``bif``).
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping

import pandas as pd

from dere.ingest.archives import TableFile, label
from dere.ingest.tables import read_bytes, require_columns
from dere.ingest.tower.fluxnet_names import ALIASES
from dere.ingest.tower.record import SiteRecord

_DOI = re.compile(r"10\.\d{4,9}/\S+")
# the table is of this product; a site's file of another one has another DOI
AMERIFLUX = ("ameriflux-fluxnet",)


def doi_of(text: object) -> str:
    """The DOI within a text ("https://doi.org/10.17190/AMF/1" gives "10.17190/AMF/1"), else empty."""
    found = _DOI.search(text) if isinstance(text, str) else None
    return found[0].rstrip(".,;)") if found else ""


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
    lines = [line for line in read_bytes(file).splitlines() if not line.startswith(b"#")]
    try:
        table = pd.read_csv(io.BytesIO(b"\n".join(lines)), dtype=str)
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{file} cannot be read as a table of citations ({' '.join(str(error).split())[:120]}); download it again, "
            "or leave it out and cite the sites by hand"
        ) from None
    return parse_site_citations(table, label(file))


def citation_of(record: SiteRecord, tables: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """``site_doi`` and ``site_citation`` of a record, empty where no table has them.

    Parameters
    ----------
    record
        A site's record.
    tables
        By kind: ``citations`` (of AmeriFlux, for its own product), ``bif`` and ``sites``; the first with a DOI counts.
    """
    for kind, table in tables.items():
        if record.site not in table.index or (kind == "citations" and record.product not in AMERIFLUX):
            continue
        row = table.loc[record.site]
        citation = str(row.get("citation") or "")
        doi = str(row.get("doi") or "") or doi_of(citation)
        if doi:
            return {"site_doi": doi, "site_citation": citation}
    return {"site_doi": "", "site_citation": ""}
