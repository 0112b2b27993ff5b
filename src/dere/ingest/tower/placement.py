"""Where a site is and what grows there: BIF first, then its own file, then a table of sites."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from dere.ingest.checks import check_coordinates
from dere.ingest.tower.record import SiteRecord

log = logging.getLogger(__name__)


class Metadata(NamedTuple):
    """What is known of a site besides its record."""

    lat: float
    lon: float
    igbp: str
    elevation: float
    origin: str
    koppen: str = ""
    utc_offset: float = math.nan


_COLUMNS = {name: name for name in Metadata._fields} | {"origin": "source"}


def describe_site(
    site: str, records: Sequence[SiteRecord], badm: pd.DataFrame, tables: pd.DataFrame
) -> Metadata | None:
    """Coordinates, classes and time zone of a site: from BIF, else its own file, else a table of sites.

    Returns None when no source has coordinates.

    Raises
    ------
    ValueError
        When coordinates are impossible.
    """
    own = next((r for r in records if math.isfinite(r.lat) and math.isfinite(r.lon)), None)
    candidates: list[Metadata] = []
    for table in (badm, tables):
        if site in table.index:
            row = table.loc[[site]].to_dict("records")[0]
            candidates.append(Metadata(**{name: row[key] for name, key in _COLUMNS.items()}))
    if own is not None:
        check_coordinates(own.lat, own.lon, f"{own.source}: site {site}")
        place = 1 if site in badm.index else 0
        candidates.insert(place, Metadata(own.lat, own.lon, own.igbp, math.nan, own.source))
    placed = next((c for c in candidates if math.isfinite(c.lat) and math.isfinite(c.lon)), None)
    if placed is None:
        return None
    for other in candidates:
        if max(abs(other.lat - placed.lat), abs(other.lon - placed.lon)) > 0.1:
            log.warning(
                "site %s: %s places it at %.3f, %.3f and %s at %.3f, %.3f; the first is taken",
                site, placed.origin, placed.lat, placed.lon, other.origin, other.lat, other.lon,
            )  # fmt: skip
    igbp = next((c.igbp for c in candidates if c.igbp), "")
    koppen = next((c.koppen for c in candidates if c.koppen), "")
    elevation = next((c.elevation for c in candidates if math.isfinite(c.elevation)), math.nan)
    offset = next((c.utc_offset for c in candidates if math.isfinite(c.utc_offset)), math.nan)
    return placed._replace(igbp=igbp, koppen=koppen, elevation=elevation, utc_offset=offset)
