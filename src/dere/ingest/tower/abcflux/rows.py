"""Rows of an ABCflux table: which are towers, in canonical names, signs and units (see `abcflux`)."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.ingest.checks import check_coordinates
from dere.ingest.months import month_number
from dere.ingest.possible import COUNT, only_possible
from dere.ingest.source import Column
from dere.ingest.tables import numbers, numeric
from dere.ingest.tower.aggregate import full_steps
from dere.ingest.tower.canonical import canonical
from dere.ingest.tower.record import NoTowers
from dere.ingest.tower.site_ids import SITE, resolved

log = logging.getLogger(__name__)

SOUTHERNMOST = 40.0
"""Latitude that no site of the collection reaches (its southernmost is 48.2); exchanged coordinates do."""
NAMES: dict[int, dict[str, str]] = {
    1: {"year": "meas_year", "month": "interval_month", "filled": "gap_fill_perc",
        "contribution": "extraction_source"},
    2: {"year": "year", "month": "month", "filled": "gap_fill_perc_nee", "contribution": "extraction_source_co2"},
}  # fmt: skip
"""Columns that say what a row is of, by version."""
SHARED = (
    "site_name", "site_reference", "latitude", "longitude", "nee", "gpp", "reco", "flux_method", "partition_method",
)  # fmt: skip
# Misspelt references of v1, as its authors correct them on the way to v2.
_REFERENCES = {
    "Se-St1": "SE-St1",
    "DK-Zah, Heath": "GL-ZaH",
    "NO-Blv": "SJ-Blv",
    "Ru-Skp": "RU-SkP",
    "US-BES": "US-Bes",
    "US-BEO": "US-Beo",
    "US-KOC, Council": "US-KOC",
    "CA-sOBS": "CA-Obs",
}
_NIGHT = re.compile(r"reichstein|night|^nt$", re.IGNORECASE)
_DAY = re.compile(r"lasslop|day|^dt$", re.IGNORECASE)
# Sums of GPP of a month reach hundreds of gC m-2; daily rates stay below 20 (towers north of 48 degrees, best months).
_SMALLEST_TOP = 20.0
_ENOUGH = 24


def site_id(reference: str, lat: float, lon: float) -> str:
    """FLUXNET id where the reference is one (aliases and known misspellings resolved), else an id from coordinates.

    Examples
    --------
    ``("DK-ZaH", ...)`` is ``GL-ZaH``; ``("Palsa Site", 68.356, 19.05)`` is ``ABC+68.356+019.050``.
    """
    known = _REFERENCES.get(reference.strip(), reference.strip())
    if re.fullmatch(SITE, known):
        return resolved(known)
    return f"ABC{lat:+07.3f}{lon:+08.3f}"


def partitioning(method: object) -> str:
    """Kind of partitioning that a text of ``partition_method`` means: ``nt``, ``dt`` or ``other``."""
    text = str(method).strip() if isinstance(method, str) else ""
    # "Day-time" contains no "night", but "night time=Reco partitioning" may stand beside "daytime" in a remark
    if _NIGHT.search(text):
        return "nt"
    return "dt" if _DAY.search(text) else "other"


def tower_rows(table: pd.DataFrame, source: str, product: str) -> pd.DataFrame:
    """Rows of eddy covariance; other methods are counted in the log.

    Raises
    ------
    NoTowers
        When there is none; ``product`` says of which product.
    """
    method = table["flux_method"].fillna("").astype(str).str.strip()
    tower = method.str.upper() == "EC"
    if not tower.any():
        found = ", ".join(sorted(set(method))[:5]) or "nothing"
        raise NoTowers(
            f"{source} has no row with flux_method EC (it has {found:.80}), but only eddy covariance is a tower; take "
            "the complete ABCflux file",
            product,
        )
    if (~tower).any():
        others = method[~tower].replace("", "not stated").value_counts()
        text = ", ".join(f"{count} {name}" for name, count in others.items())
        log.info("%s: %d of %d rows are no towers (%s) and are left out", source, (~tower).sum(), len(table), text)
    return table[tower].reset_index(drop=True)


def canonical_rows(
    table: pd.DataFrame, names: Mapping[str, str], columns: Sequence[Column], source: str
) -> pd.DataFrame:
    """Rows with canonical names, units and site ids; rows without month, place or flux are counted and dropped."""
    number = {name: numeric(table, names[name], source) for name in ("year", "month", "filled")}
    number["filled"], _ = only_possible("nee_quality", number["filled"], source, names["filled"])
    lat, lon = numeric(table, "latitude", source), numeric(table, "longitude", source)
    _check_filled(number["filled"], names["filled"], source)
    dated = np.isfinite(number["year"]) & np.isfinite(number["month"])
    _check_dates(number["year"][dated], number["month"][dated], source)
    # rows without a month, which are dropped below, pass as one of the year 2000
    year, of_year = (np.where(dated, number[name], start) for name, start in (("year", 2000), ("month", 1)))
    month = np.asarray(month_number(year.astype(np.int64), of_year.astype(np.int64)))
    values = canonical(table, columns, source, days=full_steps(month, 1))
    taken_out = {c.variable: np.isnan(values[c.variable]) & ~np.isnan(numbers(table, c.name, source)) for c in columns}
    placed = np.isfinite(lat) & np.isfinite(lon)
    for one, other in np.unique(np.stack([lat[placed], lon[placed]], 1), axis=0):
        check_coordinates(float(one), float(other), source)
    if placed.any() and float(lat[placed].min()) < SOUTHERNMOST:
        raise ValueError(
            f"{source} has a row at latitude {lat[placed].min():g}, but the collection holds sites north of "
            f"{SOUTHERNMOST:g} degrees; exchange or correct the coordinates"
        )
    measured = np.any([np.isfinite(values[name]) for name in ("nee", "gpp", "reco")], axis=0)
    kept = dated & placed & measured
    if (~kept).any():
        log.warning(
            "%s: %d tower rows without month, %d without coordinates, %d without NEE, GPP and RECO are left out",
            source, (~dated).sum(), (~placed).sum(), (~measured).sum(),
        )  # fmt: skip
    if not kept.any():
        raise ValueError(f"{source} has no tower row with month, coordinates and a flux; download the file again")
    text = table.loc[kept, ["site_name", "site_reference"]].fillna("").astype(str)
    reference = text["site_reference"].tolist()
    contribution = table.loc[kept, names["contribution"]] if names["contribution"] in table else None
    method = table.loc[kept, "partition_method"] if "partition_method" in table else [None] * int(kept.sum())
    return pd.DataFrame(
        {
            "site": [site_id(r, a, o) for r, a, o in zip(reference, lat[kept], lon[kept], strict=True)],
            "series": [
                " | ".join(parts)
                for parts in zip(
                    text["site_name"],
                    reference,
                    [""] * len(reference) if contribution is None else contribution.fillna("").astype(str),
                    strict=True,
                )
            ],
            "partitioning": [partitioning(m) for m in method],
            "month": month[kept],
            "lat": lat[kept],
            "lon": lon[kept],
            **{name: column[kept] for name, column in values.items()},
            **{f"{COUNT}{name}": lost[kept] for name, lost in taken_out.items()},
            "quality": 1 - number["filled"][kept] / 100,
        }
    )


def _check_dates(year: NDArray, month: NDArray, source: str) -> None:
    bad = (year < 1850) | (year > 2150) | (month < 1) | (month > 12) | (year % 1 != 0) | (month % 1 != 0)
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        raise ValueError(
            f"{source} has year {year[at]:g} and month {month[at]:g}, but whole years and months 1 to 12 are expected; "
            "correct the row"
        )


def _check_filled(filled: NDArray, column: str, source: str) -> None:
    finite = filled[np.isfinite(filled)]
    if finite.size and (finite.min() < 0 or finite.max() > 100 + 1e-6):
        raise ValueError(
            f"{source}: column {column} reaches {finite.min():g} to {finite.max():g}, but the filled percentage is 0 "
            "to 100; correct the column"
        )


def check_units(rows: pd.DataFrame, source: str) -> None:
    """GPP stored negative, and fluxes that are sums of a month."""
    gpp = rows["gpp"].to_numpy()
    gpp = gpp[np.isfinite(gpp) & (gpp != 0)]
    if gpp.size < _ENOUGH:
        return
    if np.median(gpp) < 0:
        raise ValueError(
            f"{source}: GPP is mostly positive (median {-np.median(gpp) * 30:g} per month), but ABCflux stores uptake "
            "as negative sums; change the sign of column gpp"
        )
    top = float(np.percentile(gpp, 95) * 30)
    if top < _SMALLEST_TOP:
        raise ValueError(
            f"{source}: the largest GPP is about {top:.3g} gC m-2 per month, but at least {_SMALLEST_TOP:g} is "
            "expected of northern summers; the fluxes look like daily rates: multiply them by the days of the month"
        )
