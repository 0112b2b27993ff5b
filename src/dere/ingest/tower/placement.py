"""Where a site is and what grows there: the release whose data are used says first, then the other tables.

In this order: BIF tables of the release, its own file, other BIF tables, the site's other files, listings and tables of
sites. Each field comes from the first that states it (see ``first_stated``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from dere.ingest.archives import TableFile, container
from dere.ingest.igbp_classes import igbp_codes
from dere.ingest.tower.first_stated import Statement, first_stated
from dere.ingest.tower.record import SiteRecord
from dere.ingest.tower.site_table_checks import POSSIBLE, TEXTS, place_of


class Metadata(NamedTuple):
    """What is known of a site besides its record."""

    lat: float
    lon: float
    igbp: str
    elevation: float
    origin: str
    koppen: str = ""
    utc_offset: float = math.nan


class SiteTable(NamedTuple):
    """A table of sites.

    Parameters
    ----------
    role
        What it is for: "bif", "listing" or "sites" (``source.Source.role``).
    file
        Where it was read.
    rows
        ``METADATA_COLUMNS`` by site, one row each.
    """

    role: str
    file: TableFile
    rows: pd.DataFrame


_COLUMNS = {name: name for name in Metadata._fields} | {"origin": "source"}
PLACING = ("bif", "listing", "sites")
"""Roles of tables that say where sites are; listings come before plain tables."""


def describe_site(
    chosen: SiteRecord, files: Mapping[str, TableFile], records: Sequence[SiteRecord], tables: Sequence[SiteTable]
) -> Metadata | None:
    """Coordinates, classes, elevation and time zone of a site, merged field by field.

    Parameters
    ----------
    chosen
        Record that is used.
    files
        File of each record by ``source``.
    records
        All records of the site.
    tables
        Tables of sites in the order in which they are asked where nothing else decides.

    Returns
    -------
    Metadata or None
        None when no source has coordinates.

    Raises
    ------
    ValueError
        When the coordinates that are stated cannot be used; the sentence of the first.
    """
    file = files.get(chosen.source)
    others = [record for record in records if record is not chosen]
    stated: list[tuple[int, tuple[int, ...], Statement]] = [(1, (), _own(chosen))]
    stated += [(3, tuple(-rank for rank in other.rank), _own(other)) for other in others]
    for table in tables:
        if table.role in PLACING and chosen.site in table.rows.index:
            near = _nearness(table.file, file)
            tier = 4 if table.role != "bif" else 0 if any(near[:2]) else 2
            order = (PLACING.index(table.role), *(not same for same in near))
            stated.append((tier, order, _row(table.rows.loc[[chosen.site]])))
    merged = first_stated(chosen.site, [statement for _, _, statement in sorted(stated, key=lambda one: one[:2])])
    if math.isfinite(merged["lat"]):
        return Metadata(**{name: merged[column] for name, column in _COLUMNS.items()})
    if merged["fault"]:
        raise ValueError(merged["fault"])
    return None


def _own(record: SiteRecord) -> Statement:
    """What a record's own file says, as a row of a table of sites; its climate class stays with it (``towers``)."""
    lat, lon, fault = place_of({"site": record.site, "lat": record.lat, "lon": record.lon}, record.source)
    (igbp,) = igbp_codes([record.igbp], [record.site], record.source)
    unknown = dict.fromkeys(POSSIBLE, math.nan) | dict.fromkeys(TEXTS, "")
    return {**unknown, "lat": lat, "lon": lon, "igbp": igbp, "source": record.source, "fault": fault}


def _row(table: pd.DataFrame) -> Statement:
    """First row of a table."""
    return {str(name): value for name, value in table.to_dict("records")[0].items()}


def _nearness(table: TableFile, file: TableFile | None) -> tuple[bool, bool, bool]:
    """Whether a table lies in the archive of a tower's file, is named as of its product, lies in its folder."""
    if file is None:
        return False, False, False
    own, other = container(table), container(file)
    archive = own == other
    return archive, table.name.partition("_")[0] == file.name.partition("_")[0], own.parent == other.parent
