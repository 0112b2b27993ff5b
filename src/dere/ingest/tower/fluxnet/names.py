"""Names of the FLUXNET family's files: FLUXNET2015, ICOS, AmeriFlux and the shuttle (docs/data.md#sources).

A site often brings one processing in several steps and sets. One step of each is read: the preferred one of the
configuration, monthly by default. The other steps are passed over with a reason; sets are told apart by rank.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dere.ingest.archives import TableFile
from dere.ingest.source import PassedOver
from dere.ingest.tower.fluxnet.products import RANKS
from dere.ingest.tower.site_ids import SITE, resolved

if TYPE_CHECKING:
    from dere.config.towers import TowerSource

_SITE = rf"(?P<site>{SITE})"
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
# Warm Winter 2020 reprocessed the sites of Drought 2018 under the same tag; what ends before 2019 is of the latter
_DROUGHT_YEAR = 2018
STEPS = ("MM", "DD", "HH", "HR")
_OTHER_ICOS = re.compile(rf"ICOSETC_{_SITE}_(FLUXES|METEO|METEOSENS|ANCILLARY|VARINFO)_")
_SETS = {"FULLSET": 2, "FLUXMET": 2, "FLUXNET": 2, "SUBSET": 1}


@dataclass(frozen=True)
class FileName:
    """What the name of a FLUXNET-family file says.

    ``years`` is None where the pattern holds no years; ``rank`` orders processings, the largest is the newest.
    """

    site: str
    product: str
    network: str
    subset: str
    step: str
    version: str
    years: tuple[int, int] | None

    @property
    def readable(self) -> bool:
        """Whether the file is a table of fluxes and drivers in a step that can become months."""
        return self.step in STEPS and self.subset in _SETS

    @property
    def processing(self) -> str:
        """Product, set and version as text."""
        return f"{self.product} {self.subset} {self.version}"

    @property
    def rank(self) -> tuple[int, ...]:
        """Newest product first, then version, then FULLSET before SUBSET."""
        numbers = tuple(int(n) for n in re.findall(r"\d+", self.version))
        if self.version.startswith("INTERIM"):
            numbers = (numbers[0] - 1,)  # continues a release until the next one, which then replaces it
        return (RANKS[self.product], *(numbers + (0, 0, 0))[:3], _SETS.get(self.subset, 0))


def parse_name(name: str) -> FileName | None:
    """Read site, product, set, step, years and version off a file name; None when no pattern fits."""
    stem = re.sub(r"\.(csv(\.gz)?|xlsx)$", "", name, flags=re.IGNORECASE)
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
        years = (int(part["first"]), int(part["last"])) if part.get("first") else None
        if kind == "FLX" and part["version"].startswith("beta"):
            before = years is not None and years[1] <= _DROUGHT_YEAR
            product, network = ("icos-drought-2018", "icos-drought") if before else ("icos-warm-winter-2020", "icos-ww")
        return FileName(
            resolved(part["site"]), product, network, part["set"], part.get("step") or "", part["version"], years
        )
    return None


def is_readable(path: str) -> bool:
    """Whether a path ends in the name of a table of the family that can become months."""
    name = parse_name(path.rsplit("/", 1)[-1])
    return name is not None and name.readable


def is_known(path: str) -> bool:
    """Whether a path ends in a name of the family, readable or not: other steps and sets are nothing to warn about."""
    name = path.rsplit("/", 1)[-1]
    return parse_name(name) is not None or _OTHER_ICOS.match(name) is not None


def passed_over(files: Sequence[TableFile], config: TowerSource) -> dict[TableFile, PassedOver]:
    """Files not to read, because the same processing of the site comes in a preferred step, with the reason."""
    steps: dict[tuple[str, str], set[str]] = {}
    named = [(file, name) for file in files if (name := parse_name(file.name)) is not None]
    for _, name in named:
        steps.setdefault((name.site, name.processing), set()).add(name.step)
    found: dict[TableFile, PassedOver] = {}
    for file, name in named:
        chosen = next((step for step in config.resolution if step in steps[name.site, name.processing]), None)
        if chosen is None:
            reason = f"step {name.step} is not in sources.towers.resolution"
        else:
            reason = f"step {chosen} of the same processing is read"
        if chosen != name.step:
            found[file] = PassedOver(name.site, name.processing, reason)
    return found
