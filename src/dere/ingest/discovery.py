"""Which files of the tower folders are what: the format of each follows from its name."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from dere.ingest import fluxnet, fluxnet_extract

log = logging.getLogger(__name__)

# tables of the same folder that the cover is made of
_NOT_TOWERS = {"site_plant_types.csv", "site_age_weights.csv", "lat_lon_age_weights.csv"}
_SITE_TABLE = re.compile(r"(.*[_-])?sites?([_-]?list)?\.csv(\.gz)?", re.IGNORECASE)
_BIF_TABLE = re.compile(r".*BIF.*\.csv(\.gz)?")
_FAMILY = re.compile(r"(FLX|AMF|ICOSETC)_.*")


class Found(NamedTuple):
    """Files of the folders by what they are."""

    towers: list[Path]
    extracts: list[Path]
    bif: list[Path]
    sites: list[Path]
    ignored: list[Path]


def recognise(folders: Sequence[Path]) -> Found:
    """Sort the csv files of ``folders`` (searched with their sub-folders) by format.

    Raises
    ------
    FileNotFoundError
        When a folder is missing.
    ValueError
        When a folder holds no monthly tower file and no site metadata.
    """
    found = Found([], [], [], [], [])
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder} is no folder; correct sources.towers.paths or put the tower files there")
        tables = sorted(p for p in folder.rglob("*") if re.search(r"\.csv(\.gz)?$", p.name) and p.name[0] != ".")
        before = len(found.towers) + len(found.extracts) + len(found.bif) + len(found.sites)
        for path in tables:
            if path.name not in _NOT_TOWERS:
                _kind(path, found).append(path)
        if len(found.towers) + len(found.extracts) + len(found.bif) + len(found.sites) == before:
            held = f"{len(tables)} csv files of unknown format ({tables[0].name}, ...)" if tables else "no csv file"
            raise ValueError(
                f"{folder} holds {held}, but monthly files of the FLUXNET family (..._MM_....csv) or of the extract "
                "({SITE}_MM.csv) are needed; keep the products' own file names, unzipped"
            )
    for path in found.ignored:
        log.warning("%s: format not recognised, ignored", path.name)
    return found


def _kind(path: Path, found: Found) -> list[Path]:
    """Pick the list a file belongs to; further steps and sets of the FLUXNET family belong to none."""
    name = fluxnet.parse_name(path.name)
    if name is not None:
        return found.towers if name.monthly else []
    if fluxnet_extract.NAME.fullmatch(path.name):
        return found.extracts
    if _BIF_TABLE.fullmatch(path.name):
        return found.bif
    if _SITE_TABLE.fullmatch(path.name):
        return found.sites
    return [] if _FAMILY.match(path.name) and "_MM" not in path.name else found.ignored
