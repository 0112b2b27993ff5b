"""One site read from one file: what every tower format is parsed to."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from dere.channels import CHANNEL_UNITS, DIURNAL
from dere.ingest.archives import TableFile
from dere.ingest.possible import COUNT, only_possible
from dere.ingest.source import Column
from dere.ingest.tower.canonical import canonical, check
from dere.ingest.tower.fluxnet_columns import CO2_ZEROS, STEMS, flux_names
from dere.variables import MONTHLY8, SATELLITE

log = logging.getLogger(__name__)

YEAR = 12
RECORD_VARIABLES: tuple[str, ...] = (
    *flux_names("VUT_REF"),
    *(f"{name}{suffix}" for name in MONTHLY8 for suffix in ("", "_quality", "_reanalysis")),
    *SATELLITE,
)
DIURNAL_VARIABLES: dict[str, str] = {name: CHANNEL_UNITS[name] for name in (*DIURNAL, "co2_hourly")}
"""Mean diurnal cycles and their units: the names of driver set ``carbonglobe136``."""


class NoTowers(ValueError):
    """A table of a known format that holds other measurements than towers; beside towers it is passed over.

    Parameters
    ----------
    sentence
        The message, should there be no other table.
    product
        Key of a product of the source that reads it.
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
        Maps names of ``RECORD_VARIABLES``, ``quantities.SHARES`` and ``quantities.FURTHER`` to float64 of shape
        (month,), NaN missing; a name that is absent is missing throughout.
    product
        Key of a product of the source that reads it.
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
        Oddities counted on reading: ``range_breaches``, ``co2_zeros``, ``runaway_fluxes``, and values that were marks
        or impossible, as ``impossible_<variable>``, in the steps of the file.
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
    joined
        Further files that the record was read from.
    code
        Code of the file where the tower is kept under another one (see ``twins``); else empty.
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
    joined: tuple[TableFile, ...] = ()
    code: str = ""

    @property
    def has_satellites(self) -> bool:
        """Whether a satellite saw the site in any month."""
        return any(np.isfinite(self.values[name]).any() for name in SATELLITE if name in self.values)

    @property
    def impossible(self) -> dict[str, int]:
        """Values that the file holds and the record does not, by variable: marks, impossible numbers, failed fits."""
        found = {n.removeprefix(COUNT): count for n, count in self.counts.items() if n.startswith(COUNT) and count}
        failed = self.counts.get("runaway_fluxes", 0)
        return found | ({"failed_fits": failed} if failed else {})


def possible_months(record: SiteRecord) -> SiteRecord:
    """Return the record with NaN in place of monthly means that no such quantity has; they are counted.

    What readers took out of finer steps is narrower here: a half hour can be what no month is. A satellite series that
    never varies in a year or more is a mark of missing values (EVI of RU-Cok in FLUXNET2015 is 0 in all 144 months).

    Raises
    ------
    ValueError
        When too many months of a variable are impossible.
    """
    counts = dict(record.counts)
    source = f"{record.source}: site {record.site}"

    def kept(name: str, values: np.ndarray) -> np.ndarray:
        found, count = only_possible(name, np.asarray(values, float), source, name)
        if name in SATELLITE and _never_varies(found):
            log.warning(
                "%s: %s is %g in all months, which leaves never are; it is missing", source, name, np.nanmax(found)
            )
            count += int(np.isfinite(found).sum())
            found = np.full_like(found, np.nan)
        if count:
            counts[f"{COUNT}{name}"] = counts.get(f"{COUNT}{name}", 0) + count
        return found

    values = {name: kept(name, found) for name, found in record.values.items()}
    members = {name: kept(name, found) for name, found in record.members.items()}
    return replace(record, values=values, members=members, counts=counts)


def _never_varies(series: np.ndarray) -> bool:
    """Whether a monthly series holds a year of values or more, all of them equal."""
    values = series[np.isfinite(series)]
    return len(values) >= YEAR and bool((values == values[0]).all())


def require_drivers(columns: pd.Index, source: str) -> None:
    """Check that each core driver but longwave and CO2 has a tower or a reanalysis column.

    Raises
    ------
    ValueError
        Names the file and both columns looked for.
    """
    for name, stem in STEMS.items():
        if name != "longwave" and f"{stem}_F" not in columns and f"{stem}_ERA" not in columns:
            raise ValueError(
                f"{source} has neither column {stem}_F nor {stem}_ERA among its {len(columns)} columns, but "
                f"{name} is a core driver; add one of them, or take the FULLSET or SUBSET file of the site"
            )


def parse_columns(
    table: pd.DataFrame, source: str, columns: Sequence[Column]
) -> tuple[dict[str, np.ndarray], dict[str, int], dict[str, int]]:
    """Fluxes, drivers and satellites of a FLUXNET-named monthly table.

    Flux columns may be absent or empty: such a site can only be predicted.

    Parameters
    ----------
    table
        Columns by FLUXNET names; marks of missing values and impossible numbers are taken out here.
    source
        File name for messages.
    columns
        What to take from it; the median of each proves its unit.

    Returns
    -------
    tuple
        Values by canonical name (satellites NaN where no column brings them), counts of oddities, range breaches by
        variable.

    Raises
    ------
    ValueError
        Text in a number column, a unit that cannot be right, a quality outside 0 to 1, a missing core driver.
    """
    require_drivers(table.columns, source)
    counts = {"range_breaches": 0, CO2_ZEROS: 0}
    values = canonical(table, columns, source, counts)
    breaches = check(values, source, {column.variable: column.name for column in columns})
    counts["range_breaches"] = sum(breaches.values())
    return values | {name: np.full(len(table), np.nan) for name in SATELLITE if name not in values}, counts, breaches
