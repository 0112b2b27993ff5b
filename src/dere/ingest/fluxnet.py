"""Monthly files of the FLUXNET family: FLUXNET2015, ICOS, AmeriFlux and the shuttle (data-formats 2.4)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dere.config.sources import TowerSource
from dere.ingest.archives import TableFile, label
from dere.ingest.record import SOURCE_COLUMNS, SiteRecord, parse_columns, product_rank
from dere.ingest.tables import month_numbers, read_table

# one tower under two codes
ALIASES = {"DK-ZaH": "GL-ZaH", "NO-Adv": "SJ-Adv"}

_SITE = r"(?P<site>[A-Z]{2}-[A-Za-z0-9]{3})"
_SET = r"(?P<set>[A-Z0-9]+)"
_STEP = r"(?P<step>HH|HR|DD|WW|MM|YY)"
_YEARS = r"(?P<first>\d{4})-(?P<last>\d{4})"
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("FLX", re.compile(rf"FLX_{_SITE}_FLUXNET2015_{_SET}_{_STEP}_{_YEARS}_(?P<version>[A-Za-z0-9]+-[0-9]+)")),
    ("AMF", re.compile(rf"AMF_{_SITE}_FLUXNET_{_SET}(?:_{_STEP})?_{_YEARS}_(?P<version>[0-9]+-[0-9]+)")),
    ("ICOSETC", re.compile(rf"ICOSETC_{_SITE}_{_SET}_{_STEP}_(?P<version>(?:INTERIM_)?L2)")),
    (
        "SHUTTLE",
        re.compile(rf"(?P<hub>[A-Z]{{2,10}})_{_SITE}_FLUXNET_{_SET}_{_STEP}_{_YEARS}_(?P<version>v\d+(?:\.\d+)?_r\d+)"),
    ),
)
_SETS = {"FULLSET": 2, "FLUXMET": 2, "FLUXNET": 2, "SUBSET": 1}


@dataclass(frozen=True)
class FileName:
    """What the name of a FLUXNET-family file says.

    ``years`` is None where the pattern holds no years; ``rank`` orders processings, the largest is the newest;
    ``monthly`` is true for a monthly table of fluxes and drivers.
    """

    site: str
    product: str
    network: str
    subset: str
    step: str
    version: str
    years: tuple[int, int] | None

    @property
    def monthly(self) -> bool:
        """Whether the file is a monthly table with fluxes and drivers."""
        return self.step == "MM" and self.subset in _SETS

    @property
    def processing(self) -> str:
        """Product, set and version as text."""
        return f"{self.product} {self.subset} {self.version}"

    @property
    def rank(self) -> tuple[int, ...]:
        """Newest product first, then version, then FULLSET before SUBSET."""
        numbers = tuple(int(n) for n in re.findall(r"\d+", self.version))
        return product_rank(self.product, *(numbers + (0, 0, 0))[:3], _SETS.get(self.subset, 0))


def parse_name(name: str) -> FileName | None:
    """Read site, product, set, step, years and version off a file name; None when no pattern fits."""
    stem = re.sub(r"\.csv(\.gz)?$", "", name)
    for kind, pattern in _PATTERNS:
        match = pattern.fullmatch(stem)
        if not match:
            continue
        part = match.groupdict()
        product, network = {
            "FLX": ("fluxnet2015", "fluxnet"),
            "AMF": ("ameriflux-fluxnet", "ameriflux"),
            "ICOSETC": ("icos-etc-l2", "icos-etc"),
            "SHUTTLE": ("fluxnet-shuttle", (part.get("hub") or "").lower()),
        }[kind]
        if kind == "FLX" and part["version"].startswith("beta"):
            product, network = "icos-warm-winter-2020", "icos-ww"
        years = (int(part["first"]), int(part["last"])) if part.get("first") else None
        site = ALIASES.get(part["site"], part["site"])
        return FileName(site, product, network, part["set"], part.get("step") or "", part["version"], years)
    return None


def parse(table: pd.DataFrame, name: FileName, source: str) -> SiteRecord:
    """Turn a monthly table of the FLUXNET family into a record.

    Parameters
    ----------
    table
        Columns by their names in the product; sets and order differ between sites.
    name
        What the file name says.
    source
        File name for messages and provenance.

    Raises
    ------
    ValueError
        See :func:`dere.ingest.record.parse_columns` and :func:`dere.ingest.tables.month_numbers`; also when the months
        do not span the years of the file name.
    """
    months = month_numbers(table, source)
    check_span(months, name.years, source)
    values, counts, breaches = parse_columns(table, source)
    return SiteRecord(
        site=name.site,
        months=months,
        values=values,
        product=name.product,
        processing=name.processing,
        rank=name.rank,
        network=name.network,
        source=source,
        counts=counts,
        breaches=breaches,
    )


def check_span(months: np.ndarray, years: tuple[int, int] | None, source: str) -> None:
    """Check that the months begin and end with the whole calendar years of the file name.

    Raises
    ------
    ValueError
        When they do not, as in a file truncated between two rows, or when there is no row.
    """
    if not len(months):
        raise ValueError(f"{source} has a header but no rows, and a monthly record is needed; download it again")
    if years is None:
        return
    first, last = int(months[0]), int(months[-1])
    if (first, last) != (years[0] * 12, years[1] * 12 + 11):
        text = [f"{number // 12}-{number % 12 + 1:02d}" for number in (first, last)]
        raise ValueError(
            f"{source} holds {text[0]} to {text[1]}, but its name promises the whole years {years[0]} to {years[1]}; "
            "it is truncated or renamed: download it again, or correct the years in its name"
        )


def is_readable(path: str) -> bool:
    """Whether a path ends in the name of a table of fluxes and drivers of the family."""
    name = parse_name(path.rsplit("/", 1)[-1])
    return name is not None and name.monthly


def passed_over(files: Sequence[TableFile], config: TowerSource) -> dict[TableFile, str]:
    """Files of a site and processing that come in a preferred step too."""
    return {}


def read_family(file: TableFile, config: TowerSource) -> list[SiteRecord]:
    """Read one file of the family."""
    return [read_fluxnet_monthly(file)]


def read_fluxnet_monthly(path: TableFile) -> SiteRecord:
    """Read one monthly file of the FLUXNET family.

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        When its name fits no pattern or its content fails a check.
    """
    name = parse_name(path.name)
    if name is None or not name.monthly:
        raise ValueError(
            f"{path.name} is not named like a monthly FULLSET, SUBSET or FLUXMET file of the FLUXNET family; keep the "
            "product's own file name"
        )
    return parse(read_table(path, SOURCE_COLUMNS), name, label(path))
