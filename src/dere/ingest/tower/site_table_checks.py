"""What a table says of its sites, as numbers, codes and texts; what cannot be is unknown, and said.

A table has a row per statement; rows of one site stand with the preferred first (see ``placement.first_stated``).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dere.ingest.checks import check_coordinates
from dere.ingest.igbp_classes import igbp_codes
from dere.ingest.table_text import check_columns
from dere.ingest.tables import MISSING
from dere.ingest.tower.faults import SiteFault, fault_of
from dere.ingest.tower.site_ids import ALIASES

log = logging.getLogger(__name__)

TEXTS = ("koppen", "doi", "citation")
POSSIBLE: dict[str, tuple[float, float, str]] = {
    "elevation": (-500.0, 9000.0, "m"),
    "mat": (-60.0, 45.0, "degC"),
    "map": (0.0, 15000.0, "mm per year"),
    "utc_offset": (-12.0, 14.0, "h"),
}
"""What there is on Earth: the shore of the Dead Sea to the highest summit, the poles to the wettest hills."""
_CLIMATE = r"[A-E][A-Za-z]{0,2}|(?i:tropical|arid|temperate|continental|polar|arctic|boreal)"
METADATA_COLUMNS = ("lat", "lon", "igbp", *POSSIBLE, *TEXTS, "source", "fault")
"""Columns of a table of sites; ``fault`` is the sentence on coordinates that cannot be used, else empty."""


def checked(wide: pd.DataFrame, source: str) -> pd.DataFrame:
    """Statements with numbers as numbers, classes as codes, site codes resolved; impossible ones unknown.

    Parameters
    ----------
    wide
        Columns ``site``, and of ``METADATA_COLUMNS`` what the table brings; ``source`` is for warnings, the name of the
        table where it is missing.
    source
        File name for messages.

    Returns
    -------
    DataFrame
        ``METADATA_COLUMNS`` indexed by site, a row per statement in the order of ``wide``.

    Raises
    ------
    ValueError
        When a column has decimal commas.
    """
    wide = wide.reset_index(drop=True)
    check_columns(wide, source)
    wide["site"] = wide["site"].astype(str).str.strip().replace(ALIASES)
    wide["source"] = wide.get("source", source)
    for name in POSSIBLE:
        wide[name] = _possible(wide, name, source)
    for name in ("igbp", *TEXTS):
        wide[name] = wide[name].fillna("").astype(str).str.strip() if name in wide else ""
    wide["koppen"] = _climates(wide["koppen"], wide["site"], source)
    wide["igbp"] = igbp_codes(wide["igbp"], wide["site"], source)
    places = [place_of(row, source) for row in wide.reindex(columns=["site", "lat", "lon"]).to_dict("records")]
    known = wide["fault"].fillna("") if "fault" in wide else [""] * len(wide)
    for at, name in enumerate(("lat", "lon")):
        wide[name] = [place[at] for place in places]
    wide["fault"] = [place[2] or str(fault) for place, fault in zip(places, known, strict=True)]
    return wide.set_index("site")[list(METADATA_COLUMNS)]


def _climates(stated: pd.Series, sites: pd.Series, source: str) -> pd.Series:
    """Climate classes; what is neither a Koeppen code nor the word of a climate is unknown, with a line."""
    odd = (stated != "") & ~stated.str.fullmatch(_CLIMATE)
    said = odd & ~stated.str.fullmatch(r"-9+\.?\d*")
    if said.any():
        first = [f"'{text}' at {site}" for text, site in zip(stated[said], sites[said], strict=True)]
        log.warning("%s: %s is no climate class of Koeppen; taken as unknown", source, _some(first))
    return stated.mask(odd, "")


def place_of(row: Mapping[Any, Any], source: str) -> tuple[float, float, str]:
    """Latitude and longitude of a statement, NaN where it has none that can be used, and then why."""
    faults: list[SiteFault] = []
    with fault_of("", faults):
        lat, lon = (_degrees(row[name], name, row["site"], source) for name in ("lat", "lon"))
        if np.isnan(lat) != np.isnan(lon):
            has, lacks = ("longitude", "latitude") if np.isnan(lat) else ("latitude", "longitude")
            raise ValueError(
                f"{source}: site {row['site']} has a {has} without a {lacks}, but a place needs both in one statement; "
                "add it"
            )
        if np.isfinite(lat):
            check_coordinates(lat, lon, f"{source}: site {row['site']}")
        return lat, lon, ""
    return np.nan, np.nan, faults[0].sentence


def _degrees(given: object, name: str, site: object, source: str) -> float:
    """Coordinate as a number, NaN where it is missing.

    Raises
    ------
    ValueError
        When it is text or infinite.
    """
    if given is None or given != given or not str(given).strip():
        return np.nan
    value = pd.to_numeric(str(given).strip(), errors="coerce")
    if not np.isfinite(value):
        raise ValueError(
            f"{source}: column {name} holds '{given!s:.40}' at site {site}, but degrees or -9999 are needed; correct "
            "the field"
        )
    return np.nan if value == MISSING else float(value)


def _possible(wide: pd.DataFrame, name: str, source: str) -> pd.Series:
    """Numbers of a column; texts and what cannot be are unknown, with a line each."""
    if name not in wide:
        return pd.Series(np.nan, index=wide.index)
    low, high, unit = POSSIBLE[name]
    written = wide[name].where(wide[name].notna(), "").astype(str).str.strip()
    values = pd.to_numeric(written, errors="coerce").replace([np.inf, -np.inf], np.nan)
    text = written[values.isna() & ~written.str.lower().isin(["", "nan", "na"])]
    if len(text):
        log.warning("%s: %s of %d sites is no number ('%s'); taken as unknown", source, name, len(text), text.iloc[0])
    outside = values.notna() & ~values.between(low, high)
    if outside.any():
        first = [f"{value:g} at {site}" for value, site in zip(values[outside], wide.loc[outside, "site"], strict=True)]
        log.warning(
            "%s: %s of %d sites is missing or impossible (%s; %g to %g %s is possible); taken as unknown",
            source, name, int(outside.sum()), _some(first), low, high, unit,
        )  # fmt: skip
    return values.mask(outside)


def _some(texts: Sequence[str]) -> str:
    return ", ".join(texts[:3]) + (", ..." if len(texts) > 3 else "")
