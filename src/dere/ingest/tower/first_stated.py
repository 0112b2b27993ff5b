"""Merging what several statements say of one site, field by field: the first that states a field counts.

Latitude and longitude come from one statement, never from two, and so do DOI and citation.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dere.ingest.distance import distance_km
from dere.ingest.tower.site_table_checks import METADATA_COLUMNS, POSSIBLE

log = logging.getLogger(__name__)

FAR_KM = 5.0
"""Places farther apart contradict each other; coordinates rounded to two digits lie within 1 km."""
FAR_M = 200.0
"""Elevations farther apart contradict each other."""

Statement = Mapping[str, Any]
"""Fields of ``METADATA_COLUMNS``; NaN or empty = not stated."""


def first_stated(site: str, stated: Sequence[Statement]) -> dict[str, Any]:
    """Fields of a site from statements, the preferred one first; contradictions are warned of.

    ``source`` is that of the place. ``fault`` is that of the first place that cannot be used, where no other can.
    """
    placed = next((one for one in stated if _has_place(one)), None)
    cited = next((one for one in stated if one["doi"] or one["citation"]), stated[0])
    of_place = placed or stated[0]
    merged = {name: of_place[name] for name in ("lat", "lon", "source")}
    merged |= {name: cited[name] for name in ("doi", "citation")}
    for name in ("igbp", "koppen", *POSSIBLE):
        merged[name] = next((one[name] for one in stated if not _empty(one[name])), stated[0][name])
    faults = [one["fault"] for one in stated if one["fault"]]
    merged["fault"] = faults[0] if faults and placed is None else ""
    for fault in faults if placed else ():
        log.warning("%s; its place in %s is taken", fault, merged["source"])
    _warn_contradictions(site, stated)
    return {name: merged[name] for name in METADATA_COLUMNS}


def first_of_sites(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per site of a table indexed by site, the preferred statement of each site first."""
    by_site: dict[Hashable, list[Statement]] = {}
    for site, row in zip(rows.index, rows.to_dict("records"), strict=True):
        by_site.setdefault(site, []).append({str(name): value for name, value in row.items()})
    merged = [first_stated(str(site), stated) for site, stated in by_site.items()]
    return pd.DataFrame(merged, index=pd.Index(list(by_site), name="site"), columns=list(METADATA_COLUMNS))


def _empty(value: object) -> bool:
    return value == "" or (isinstance(value, float) and math.isnan(value))


def _has_place(stated: Statement) -> bool:
    return math.isfinite(stated["lat"]) and math.isfinite(stated["lon"])


def _warn_contradictions(site: str, stated: Sequence[Statement]) -> None:
    """One line for each field on which statements differ: both values and which is taken."""
    places = [one for one in stated if _has_place(one)]
    for other in places[1:]:
        pair = (places[0], other)
        lat, lon = (np.array([one[name] for one in pair]) for name in ("lat", "lon"))
        if (km := float(distance_km(lat, lon)[0, 1])) > FAR_KM:
            log.warning(
                "site %s: %s places it at %.3f, %.3f and %s at %.3f, %.3f, %.0f km away; the first is taken",
                site, pair[0]["source"], lat[0], lon[0], other["source"], lat[1], lon[1], km,
            )  # fmt: skip
            break
    for name, words, apart in (
        ("igbp", "IGBP class", 0.0), ("elevation", "elevation", FAR_M), ("utc_offset", "UTC offset", 0.0),
    ):  # fmt: skip
        saying = [one for one in stated if not _empty(one[name])]
        for other in saying[1:]:
            first, second = saying[0][name], other[name]
            if first != second and (isinstance(first, str) or abs(first - second) > apart):
                log.warning(
                    "site %s: %s says %s %s and %s says %s; the first is taken",
                    site, saying[0]["source"], words, first, other["source"], second,
                )  # fmt: skip
                break
