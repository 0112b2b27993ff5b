"""Site metadata: BADM/BIF long tables, ICOS site information, listings of the shuttle, plain tables.

All become one table indexed by site: lat, lon (degrees), elevation (m), igbp, koppen (climate class), mat (degC), map
(mm per year), utc_offset (hours), doi, citation, source (file name), fault (why the coordinates cannot be used);
unknown = NaN or ''. A site at fault costs itself, never the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from dere.ingest.archives import TableFile, label
from dere.ingest.igbp_classes import VEGETATED, igbp_code
from dere.ingest.tables import read_table, read_text, require_columns
from dere.ingest.tower.bif_rows import parse_rows
from dere.ingest.tower.bif_statements import statements
from dere.ingest.tower.first_stated import first_of_sites
from dere.ingest.tower.site_citations import stated_dois
from dere.ingest.tower.site_table_checks import checked

_BIF_VARIABLES = {
    "LOCATION_LAT": "lat",
    "LOCATION_LONG": "lon",
    "LOCATION_ELEV": "elevation",
    "IGBP": "igbp",
    "MAT": "mat",
    "MAP": "map",
    "UTC_OFFSET": "utc_offset",
    "CLIMATE_KOEPPEN": "koppen",
}
_BIF_COLUMNS = ("SITE_ID", "VARIABLE", "DATAVALUE")
_GROUPS = ("GROUP_ID", "VARIABLE_GROUP")
_LISTING = ("site_id", "location_lat", "location_long", "igbp")
_LISTED_CITATION = "product_citation"
_SYNONYMS = {
    "site": ("site", "site_id", "siteid"),
    "lat": ("lat", "latitude", "location_lat"),
    "lon": ("lon", "long", "longitude", "location_long", "location_lon"),
    "elevation": ("elevation", "elev", "location_elev"),
    "mat": ("mat",),
    "map": ("map",),
    "utc_offset": ("utc_offset",),
    "koppen": ("koppen", "koeppen", "climate_koeppen"),
    "doi": ("doi",),
    "citation": ("product_citation", "citation"),
}


def parse_bif(table: pd.DataFrame, source: str, ends: Mapping[str, int] | None = None) -> pd.DataFrame:
    """Site table of a BADM/BIF long table.

    Each field comes from the statement with the latest start date that is not after the end of the site's data, of
    equal ones from the last; latitude and longitude come from one statement (see ``bif_statements``). For DOI and
    citation see :func:`dere.ingest.tower.site_citations.stated_dois`.

    Parameters
    ----------
    table
        Columns SITE_ID, VARIABLE, DATAVALUE and, to tell statements apart, GROUP_ID and VARIABLE_GROUP; others are
        ignored.
    source
        File name for messages.
    ends
        Last day of the data by site, as YYYYMMDD.

    Raises
    ------
    ValueError
        Missing columns.
    """
    require_columns(table, _BIF_COLUMNS, source)
    dois = stated_dois(table).rename_axis("site").reset_index()
    stated = pd.concat([statements(table, _BIF_VARIABLES, ends, source), dois.assign(source=source)], ignore_index=True)
    return first_of_sites(checked(stated, source))


def parse_listing(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """Site table of a listing of the FLUXNET shuttle, a row per site and hub; the first that states a field counts.

    Only columns about the place are taken: the listing also holds names and e-mail addresses of people.

    Raises
    ------
    ValueError
        Missing columns.
    """
    require_columns(table, _LISTING, source)
    named = [*_LISTING, *([_LISTED_CITATION] if _LISTED_CITATION in table.columns else [])]
    return first_of_sites(checked(_columns_by_usual_names(table[named], source), source))


def parse_sites(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """Site table of a plain csv: one row per site, columns found by usual names whatever their case.

    Several IGBP columns may stand side by side (site lists disagree): the first that names vegetation counts. A site
    that stands there twice is at fault.

    Raises
    ------
    ValueError
        No row, no site, latitude or longitude column.
    """
    sites = checked(_columns_by_usual_names(table, source), source)
    twice = sites.index.duplicated(keep=False)
    for site in sites.index[twice].unique():
        sites.loc[site, ["lat", "lon"]] = float("nan")
        sites.loc[site, "fault"] = (
            f"{source} lists site {site} more than once, but each site may stand there once; remove a row"
        )
    return sites[~sites.index.duplicated()]


def _columns_by_usual_names(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """Columns of a plain table under the names of a table of sites.

    Raises
    ------
    ValueError
        No row, no site, latitude or longitude column.
    """
    if table.empty:
        raise ValueError(
            f"{source} has a header but no rows, and a row per site is needed; it is truncated: restore it"
        )
    lower = {str(column).strip().lower(): column for column in table.columns}
    found = {
        name: next((lower[synonym] for synonym in synonyms if synonym in lower), None)
        for name, synonyms in _SYNONYMS.items()
    }
    for name in ("site", "lat", "lon"):
        if found[name] is None:
            raise ValueError(
                f"{source} has no column for {name} ({', '.join(_SYNONYMS[name])}) among {list(table.columns)[:8]}; "
                "rename or add it"
            )
    wide = pd.DataFrame({name: table[column] for name, column in found.items() if column is not None})
    classes = [column for key, column in lower.items() if key.startswith("igbp") or key == "pft"]
    if classes:
        wide["igbp"] = [_first_class(row) for row in table[classes].fillna("").astype(str).to_numpy().tolist()]
    return wide


def _first_class(candidates: Sequence[str]) -> str:
    """First class that names vegetation, else the first of all."""
    return next((c for c in candidates if igbp_code(c) in VEGETATED), candidates[0])


def read_bif(path: TableFile, ends: Mapping[str, int] | None = None) -> pd.DataFrame:
    """Read a BADM/BIF table: xlsx, or csv of any separator and encoding (see :func:`parse_bif`)."""
    if path.suffix.lower() == ".xlsx":
        return parse_bif(read_table(path, (*_BIF_COLUMNS, *_GROUPS)), label(path), ends)
    return parse_bif(parse_rows(read_text(path), label(path)), label(path), ends)


def read_sites(path: TableFile) -> pd.DataFrame:
    """Read a plain table of sites (see :func:`parse_sites`)."""
    return parse_sites(read_table(path, encoding=None), label(path))


def read_listing(path: TableFile) -> pd.DataFrame:
    """Read a listing of the shuttle; columns about people are dropped on reading (see :func:`parse_listing`)."""
    return parse_listing(read_table(path, (*_LISTING, _LISTED_CITATION), encoding=None), label(path))
