"""One site read from one file: what every tower format is parsed to."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from dere.channels import CHANNEL_UNITS, DIURNAL
from dere.ingest.checks import check_unit
from dere.ingest.tables import numeric
from dere.ingest.tower.variants import flux_columns
from dere.variables import MONTHLY8, SATELLITE, count_out_of_range

FLUX_COLUMNS: dict[str, str] = flux_columns("VUT_REF")
DRIVER_STEMS: dict[str, str] = {
    "air_temperature": "TA",
    "precipitation": "P",
    "shortwave": "SW_IN",
    "longwave": "LW_IN",
    "vpd": "VPD",
    "pressure": "PA",
    "wind": "WS",
}
CO2_COLUMN = "CO2_F_MDS"
# flux columns to the variable whose range and unit they share
_FLUX_KIND = {"nee": "nee", "gpp_nt": "gpp", "gpp_dt": "gpp", "reco_nt": "reco", "reco_dt": "reco"}

DRIVER_COLUMNS: dict[str, tuple[str, str, str]] = {
    **{name: (f"{stem}_F", f"{stem}_F_QC", f"{stem}_ERA") for name, stem in DRIVER_STEMS.items()},
    "co2": (CO2_COLUMN, f"{CO2_COLUMN}_QC", "CO2_ERA"),
}
DRIVER_SOURCES: frozenset[str] = frozenset(column for three in DRIVER_COLUMNS.values() for column in three)
SOURCE_COLUMNS: frozenset[str] = frozenset(["TIMESTAMP", *FLUX_COLUMNS.values(), *DRIVER_SOURCES])
RECORD_VARIABLES: tuple[str, ...] = (
    *FLUX_COLUMNS,
    *(f"{name}{suffix}" for name in MONTHLY8 for suffix in ("", "_quality", "_reanalysis")),
    *SATELLITE,
)


OPTIONAL_VARIABLES: dict[str, str] = {
    "nee_measured_share": "share of half hours with measured NEE",
    "nee_coverage": "share of steps of the finer file with NEE",
    "gpp_quality": "quality of GPP, where it is not that of NEE",
    "reco_quality": "quality of RECO, where it is not that of NEE",
}
"""Further names of ``SiteRecord.values`` that only some formats bring; share of 0 to 1."""
DIURNAL_VARIABLES: dict[str, str] = {name: CHANNEL_UNITS[name] for name in (*DIURNAL, "co2_hourly")}
"""Mean diurnal cycles and their units: the names of driver set ``carbonglobe136``."""
# newest processing last; a site is taken whole from the largest
PRODUCT_ORDER: tuple[str, ...] = (
    "fluxnet2015-extract",
    "fluxnet2015",
    "icos-drought-2018",
    "icos-warm-winter-2020",
    "ameriflux-fluxnet",
    "icos-etc-l2",
    "fluxnet-shuttle",
)


def product_rank(product: str, *details: int) -> tuple[int, ...]:
    """Rank of a processing: position of its product in ``PRODUCT_ORDER``, then ``details`` (version, set ...)."""
    return (PRODUCT_ORDER.index(product), *details)


class NoTowers(ValueError):
    """A table of a known format that holds other measurements than towers; beside towers it is passed over.

    Parameters
    ----------
    sentence
        The message, should there be no other table.
    product
        Key of ``provenance.PRODUCTS``.
    """

    def __init__(self, sentence: str, product: str) -> None:
        super().__init__(sentence)
        self.product = product


@dataclass(frozen=True)
class SiteRecord:
    """Monthly record of one site from one file, canonical names and units.

    Parameters
    ----------
    site
        FLUXNET id, aliases resolved.
    months
        Month numbers, strictly increasing, shape (month,).
    values
        Maps names of ``RECORD_VARIABLES`` and ``OPTIONAL_VARIABLES`` to float64 of shape (month,), NaN missing; a
        name that is absent is missing throughout.
    product
        Key of ``provenance.PRODUCTS``.
    processing
        Product and version of the processing, as text.
    rank
        Orders processings of one site; the largest is the newest.
    network
        Network label.
    source
        File name.
    lat, lon, igbp, koppen
        What the file itself says about the site; NaN or empty where it says nothing.
    counts
        Oddities counted on reading: ``range_breaches``, ``co2_zeros``, ``satellite_months_moved``.
    breaches
        Values outside the valid range by variable.
    diurnal
        Maps names of ``DIURNAL_VARIABLES`` to mean cycles by hour of local standard time, shape (month, 24).
    members
        Maps "nee_member" and "gpp_member" to the values at ``MEMBERS``, shape (month, member).
    variant
        Threshold member of the fluxes, for example "VUT_REF".
    partitioning
        "nt" or "dt": whose GPP becomes the label.
    utc_offset
        Hours by which the clock of ``diurnal`` is ahead of UTC; NaN where the file does not say.
    """

    site: str
    months: np.ndarray
    values: dict[str, np.ndarray]
    product: str
    processing: str
    rank: tuple[int, ...]
    network: str
    source: str
    lat: float = float("nan")
    lon: float = float("nan")
    igbp: str = ""
    koppen: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    breaches: dict[str, int] = field(default_factory=dict)
    diurnal: dict[str, np.ndarray] = field(default_factory=dict)
    members: dict[str, np.ndarray] = field(default_factory=dict)
    variant: str = "VUT_REF"
    partitioning: str = "nt"
    utc_offset: float = float("nan")


def require_drivers(columns: pd.Index, source: str) -> None:
    """Check that each core driver but longwave and CO2 has a tower or a reanalysis column.

    Raises
    ------
    ValueError
        Names the file and both columns looked for.
    """
    for name, stem in DRIVER_STEMS.items():
        if name != "longwave" and f"{stem}_F" not in columns and f"{stem}_ERA" not in columns:
            raise ValueError(
                f"{source} has neither column {stem}_F nor {stem}_ERA among its {len(columns)} columns, but "
                f"{name} is a core driver; add one of them, or take the FULLSET or SUBSET file of the site"
            )


def parse_columns(
    table: pd.DataFrame, source: str, variant: str = "VUT_REF"
) -> tuple[dict[str, np.ndarray], dict[str, int], dict[str, int]]:
    """Fluxes and drivers of a FLUXNET-named monthly table.

    The units of these tables are the canonical ones; the median of each column proves it. Flux columns may be absent
    or empty: such a site can only be predicted.

    Parameters
    ----------
    table
        Columns by FLUXNET names; -9999 or empty = missing.
    source
        File name for messages.
    variant
        Threshold member of the flux columns.

    Returns
    -------
    tuple
        Values by canonical name (satellites NaN), counts of oddities, range breaches by variable.

    Raises
    ------
    ValueError
        Text in a number column, a unit that cannot be right, a quality outside 0 to 1, a missing core driver.
    """
    require_drivers(table.columns, source)
    values: dict[str, np.ndarray] = {}
    breaches: dict[str, int] = {}
    zeros = 0

    def checked(name: str, kind: str, column: str) -> None:
        check_unit(kind, values[name], source, column)
        if breach := count_out_of_range(kind, values[name], f"{source} {column}"):
            breaches[name] = breach

    columns = flux_columns(variant)
    for name, column in columns.items():
        values[name] = numeric(table, column, source)
        if name in _FLUX_KIND:
            checked(name, _FLUX_KIND[name], column)
    check_quality(values["nee_quality"], source, columns["nee_quality"])
    for name, (filled, quality, reanalysis) in DRIVER_COLUMNS.items():
        values[name] = numeric(table, filled, source)
        values[f"{name}_quality"] = numeric(table, quality, source)
        values[f"{name}_reanalysis"] = numeric(table, reanalysis, source)
        if name == "co2":
            # a mole fraction of zero is a gap that a compiler wrote as a number
            empty = values[name] == 0
            zeros = int(empty.sum())
            values[name] = np.where(empty, np.nan, values[name])
        check_quality(values[f"{name}_quality"], source, quality)
        checked(name, name, filled)
        checked(f"{name}_reanalysis", name, reanalysis)
    for name in SATELLITE:
        values[name] = np.full(len(table), np.nan)
    counts = {"range_breaches": sum(breaches.values()), "co2_zeros": zeros}
    return values, counts, breaches


def check_quality(values: np.ndarray, source: str, column: str) -> None:
    """Check that monthly quality is a share.

    Half-hourly files count 0 (measured) to 3 (poor), the opposite meaning.

    Raises
    ------
    ValueError
        When values lie outside 0 to 1.
    """
    finite = values[np.isfinite(values)]
    if finite.size and (finite.min() < -1e-6 or finite.max() > 1 + 1e-6):
        raise ValueError(
            f"{source}: column {column} reaches {finite.min():g} to {finite.max():g}, but monthly quality is a share "
            "of 0 to 1; use the monthly (MM) file of the product"
        )
