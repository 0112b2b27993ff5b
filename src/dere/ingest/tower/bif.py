"""Site metadata: BADM/BIF long tables, ICOS site information, listings of the shuttle, plain tables.

All become one table indexed by site: lat, lon (degrees), elevation (m), igbp, koppen (climate class), mat (degC), map
(mm per year), utc_offset (hours), source (file name); unknown = NaN or ''.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pandas as pd

from dere.ingest.archives import TableFile, label
from dere.ingest.checks import check_coordinates
from dere.ingest.table_text import check_columns
from dere.ingest.tables import numeric, read_table, read_text, require_columns
from dere.ingest.tower.bif_rows import parse_rows
from dere.ingest.tower.site_citations import DOI_VARIABLES, stated_dois
from dere.ingest.tower.site_ids import ALIASES

log = logging.getLogger(__name__)

IGBP = (
    "ENF", "EBF", "DNF", "DBF", "MF", "CSH", "OSH", "WSA", "SAV", "GRA", "WET", "CRO", "CVM",
    "URB", "SNO", "BSV", "WAT",
)  # fmt: skip
# classes that say nothing about plants; another column of the table, where there is one, is asked first
_BARE = {"SNO", "URB", "BSV", "WAT", ""}
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
_NUMBERS = ("lat", "lon", "elevation", "mat", "map", "utc_offset")
METADATA_COLUMNS = (
    "lat",
    "lon",
    "elevation",
    "igbp",
    "koppen",
    "mat",
    "map",
    "utc_offset",
    "doi",
    "citation",
    "source",
)
_BIF_COLUMNS = ("SITE_ID", "VARIABLE", "DATAVALUE")
_GROUP = "GROUP_ID"
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


def parse_bif(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """Site table of a BADM/BIF long table.

    Where a site states a variable more than once (a moved mast, a new class), the last statement counts; for DOI and
    citation see :func:`dere.ingest.tower.site_citations.stated_dois`.

    Parameters
    ----------
    table
        Columns SITE_ID, VARIABLE, DATAVALUE and, to tell DOIs apart, GROUP_ID; others are ignored.
    source
        File name for messages.

    Raises
    ------
    ValueError
        Missing columns, text where a number belongs, impossible coordinates.
    """
    require_columns(table, _BIF_COLUMNS, source)
    chosen = table[table["VARIABLE"].isin([*_BIF_VARIABLES, *DOI_VARIABLES])]
    # sites without any known variable still count as sites of the table
    wide = chosen.groupby(["SITE_ID", "VARIABLE"], sort=True)["DATAVALUE"].last().unstack("VARIABLE")
    wide = wide.rename(columns=_BIF_VARIABLES).join(stated_dois(table))
    wide = wide.reset_index().rename(columns={"SITE_ID": "site"})
    return _finish(wide, source)


def parse_listing(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """Site table of a listing of the FLUXNET shuttle, which has a row per site and data hub; the first one counts.

    Only columns about the place are taken: the listing also holds names and e-mail addresses of people.

    Raises
    ------
    ValueError
        Missing columns, impossible coordinates.
    """
    require_columns(table, _LISTING, source)
    named = [*_LISTING, *([_LISTED_CITATION] if _LISTED_CITATION in table.columns else [])]
    return parse_sites(table[named].drop_duplicates("site_id"), source)


def parse_sites(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """Site table of a plain csv: one row per site, columns found by usual names whatever their case.

    Several IGBP columns may stand side by side (site lists disagree): the first that names vegetation counts.

    Raises
    ------
    ValueError
        No row, no site, latitude or longitude column, a duplicated site, impossible coordinates.
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
    return _finish(wide, source)


def _first_class(candidates: Sequence[str]) -> str:
    """First class that names vegetation, else the first of all."""
    return next((c for c in candidates if c.strip().upper() not in _BARE), candidates[0])


def _finish(wide: pd.DataFrame, source: str) -> pd.DataFrame:
    """Numbers as numbers, aliases resolved, coordinates and classes checked, indexed by site."""
    wide = wide.reset_index(drop=True)
    check_columns(wide, source)
    for name in _NUMBERS:
        # a site cannot be used without coordinates; of the rest a wrong entry costs only itself
        wide[name] = numeric(wide, name, source) if name in ("lat", "lon") else _lenient(wide, name, source)
    for name in ("igbp", "koppen", "doi", "citation"):
        wide[name] = wide[name].fillna("").astype(str).str.strip() if name in wide else ""
    wide["igbp"] = wide["igbp"].str.upper()
    for site, igbp in zip(wide["site"], wide["igbp"], strict=True):
        if igbp and igbp not in IGBP:
            log.warning("%s: IGBP class '%s' of site %s is not known; taken as it is", source, igbp, site)
    wide["site"] = wide["site"].astype(str).str.strip().replace(ALIASES)
    if wide["site"].duplicated().any():
        site = wide.loc[wide["site"].duplicated(), "site"].iloc[0]
        raise ValueError(f"{source} lists site {site} more than once, but each site may stand there once; remove a row")
    for site, lat, lon in zip(wide["site"], wide["lat"], wide["lon"], strict=True):
        if lat == lat and lon == lon:
            check_coordinates(lat, lon, f"{source}: site {site}")
    wide["source"] = source
    return wide.set_index("site")[list(METADATA_COLUMNS)]


def _lenient(wide: pd.DataFrame, name: str, source: str) -> pd.Series:
    """Numbers of a column; text is missing, with a warning."""
    if name not in wide:
        return pd.Series(float("nan"), index=wide.index)
    values = pd.to_numeric(wide[name], errors="coerce").replace([-9999.0, float("inf"), -float("inf")], float("nan"))
    text = wide.loc[values.isna() & wide[name].notna(), name].astype(str)
    text = text[~text.str.strip().isin(["", "-9999", "nan"])]
    if len(text):
        log.warning("%s: %s of %d sites is no number ('%s'); taken as unknown", source, name, len(text), text.iloc[0])
    return values


def read_bif(path: TableFile) -> pd.DataFrame:
    """Read a BADM/BIF table: xlsx, or csv of any separator and encoding (see :func:`parse_bif`)."""
    if path.suffix.lower() == ".xlsx":
        return parse_bif(read_table(path, (*_BIF_COLUMNS, _GROUP)), label(path))
    return parse_bif(parse_rows(read_text(path), label(path)), label(path))


def read_sites(path: TableFile) -> pd.DataFrame:
    """Read a plain table of sites (see :func:`parse_sites`)."""
    return parse_sites(read_table(path, encoding=None), label(path))


def read_listing(path: TableFile) -> pd.DataFrame:
    """Read a listing of the shuttle; columns about people are dropped on reading (see :func:`parse_listing`)."""
    return parse_listing(read_table(path, (*_LISTING, _LISTED_CITATION), encoding=None), label(path))
