"""Which files of the tower folders are what: a registry of formats, asked in order; zip archives are looked into.

A format is added by one row of ``FORMATS`` (fluxes and drivers) or ``METADATA`` (what is known of sites).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from dere.config.towers import TowerSource
from dere.ingest.archives import Limits, Member, TableFile, members, with_limits
from dere.ingest.tower import (
    abcflux,
    bif,
    carbonsense,
    carbonsense_sql,
    fluxnet,
    fluxnet_ch4,
    fluxnet_extract,
    fluxnet_names,
    fluxnet_zarr,
    site_tables_daily,
)
from dere.ingest.tower.record import SiteRecord
from dere.ingest.tower.site_citations import read_site_citations

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Format:
    """A format of tower records.

    Parameters
    ----------
    name
        Words for messages.
    matches
        Whether a file is of this format, by its path from its source folder on ("fluxnet/FLX_..._MM_....csv", with
        the source folder's own name first); inside an archive by the archive's path and the name there.
    read
        Records of one file (path, or archive member where ``in_archives``) under the configuration.
    folder
        The format is a folder ("store.zarr"), which is then not searched; ``matches`` is asked about folders only.
    in_archives
        Whether files inside zip archives are offered too, as ``archives.Member``.
    select
        Takes all files of the format and gives those not to read, each with the reason.
    """

    name: str
    matches: Callable[[str], bool]
    read: Callable[[Any, TowerSource], list[SiteRecord]]
    folder: bool = False
    in_archives: bool = False
    select: Callable[[Sequence[TableFile], TowerSource], Mapping[TableFile, str]] | None = None


@dataclass(frozen=True)
class MetadataFormat:
    """A format of site metadata.

    Parameters
    ----------
    kind
        A key of ``provenance.PRODUCTS``: bif (has the first say of places), sites, listing or citations.
    matches, read
        As of :class:`Format`.
    """

    kind: str
    matches: Callable[[str], bool]
    read: Callable[[TableFile], pd.DataFrame]


def _named(pattern: str, flags: int = 0) -> Callable[[str], bool]:
    """Match the last part of a path."""
    compiled = re.compile(pattern, flags)
    return lambda path: compiled.fullmatch(path.rsplit("/", 1)[-1]) is not None


FORMATS: tuple[Format, ...] = (
    Format(
        "FLUXNET family",
        fluxnet_names.is_readable,
        fluxnet.read_family,
        in_archives=True,
        select=fluxnet_names.passed_over,
    ),
    Format(
        "FLUXNET2015 extract",
        _named(fluxnet_extract.NAME.pattern),
        lambda path, _: [fluxnet_extract.read_extract(path)],
    ),
    Format("FLUXNET-CH4", fluxnet_ch4.is_readable, fluxnet_ch4.read_fluxnet_ch4, in_archives=True),
    Format("ABCflux", _named(abcflux.NAME.pattern, re.IGNORECASE), abcflux.read_abcflux, in_archives=True),
    Format("CarbonSense v1", carbonsense.is_site_folder, carbonsense.read_carbonsense_site, folder=True),
    Format("CarbonSense v2", _named(carbonsense_sql.NAME.pattern, re.IGNORECASE), carbonsense_sql.read_carbonsense_sql),
    Format(
        "FLUXNET2015 Zarr store",
        _named(fluxnet_zarr.NAME.pattern, re.IGNORECASE),
        fluxnet_zarr.read_fluxnet_zarr,
        folder=True,
    ),
    Format("six forests", _named(site_tables_daily.SIX_FORESTS.pattern), site_tables_daily.read_six_forests),
    Format("FluxCourse", _named(site_tables_daily.FLUXCOURSE.pattern), site_tables_daily.read_fluxcourse),
)
METADATA: tuple[MetadataFormat, ...] = (
    MetadataFormat("citations", _named(r"citations_for_site_data.*(?i:\.csv)"), read_site_citations),
    MetadataFormat("bif", _named(r".*BIF.*(?i:\.(csv(\.gz)?|xlsx))"), bif.read_bif),
    MetadataFormat("bif", _named(r"ICOSETC_.*_SITEINFO_(INTERIM_)?L2(?i:\.csv(\.gz)?)"), bif.read_bif),
    MetadataFormat("listing", _named(r".*shuttle.*\.csv(\.gz)?", re.IGNORECASE), bif.read_listing),
    MetadataFormat("sites", _named(r"FLX_AA-Flx_CH4-META_\d+(?i:\.csv(\.gz)?)"), bif.read_sites),
    MetadataFormat("sites", _named(r"(.*[_-])?sites?([_-]?list)?\.csv(\.gz)?", re.IGNORECASE), bif.read_sites),
)
# tables of known products that hold no towers, with the product
NO_TOWERS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("abcflux-v2", _named(abcflux.AQUATIC.pattern, re.IGNORECASE)),
)
# tables of the same folder that the cover is made of
_NOT_TOWERS = {"site_plant_types.csv", "site_age_weights.csv", "lat_lon_age_weights.csv"}
_TABLE = re.compile(r".*\.(csv(\.gz)?|xlsx|zip)", re.IGNORECASE)


@dataclass
class Found:
    """Files of the folders by what they are.

    Not read are ``passed_over`` (with the reason), ``no_towers`` (with the product) and ``ignored``.
    """

    towers: list[tuple[Format, TableFile]] = field(default_factory=list)
    metadata: list[tuple[MetadataFormat, TableFile]] = field(default_factory=list)
    passed_over: dict[TableFile, str] = field(default_factory=dict)
    no_towers: dict[TableFile, str] = field(default_factory=dict)
    ignored: list[Path] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Files that are read."""
        return len(self.towers) + len(self.metadata)


def recognise(folders: Sequence[Path], config: TowerSource | None = None) -> Found:
    """Sort what lies in ``folders`` (searched with their sub-folders and zip archives) by format.

    Parameters
    ----------
    folders
        Folders, or single files.
    config
        Preferred resolution and limits of archives; defaults when None.

    Raises
    ------
    FileNotFoundError
        When a folder is missing.
    ValueError
        When a folder holds neither towers nor site metadata, or an archive cannot be opened.
    """
    config = config or TowerSource()
    found = Found()
    for folder in map(Path, folders):
        if not folder.exists():
            raise FileNotFoundError(f"{folder} is no folder; correct sources.towers.paths or put the tower files there")
        before, unknown, without = found.count, len(found.ignored), len(found.no_towers)
        _sort(folder, folder.name, found, Limits(int(config.maximum_member_gb * (1 << 30)), config.maximum_compression))
        if found.count == before:
            rest = found.ignored[unknown:]
            held = f"{len(rest)} tables of unknown format ({rest[0].name}, ...)" if rest else "no table"
            if others := list(found.no_towers)[without:]:
                held = f"{len(others)} tables without towers ({others[0].name}, ...)"
            known = ", ".join(form.name for form in FORMATS)
            raise ValueError(
                f"{folder} holds {held}, but files of {known} or site metadata are needed; keep the products' own "
                "file names"
            )
    for form in FORMATS:
        if form.select is not None:
            found.passed_over |= form.select([file for f, file in found.towers if f is form], config)
    found.towers = [(form, file) for form, file in found.towers if file not in found.passed_over]
    for path in found.ignored:
        log.warning("%s: format not recognised, ignored", path.name)
    if found.passed_over:
        log.info("%d tower files are passed over for a preferred step of the same record", len(found.passed_over))
    return found


def _sort(path: Path, relative: str, found: Found, limits: Limits, above: frozenset[Path] = frozenset()) -> None:
    """Sort one file or folder; ``above`` are the folders it lies in, which a link may lead back to."""
    if path.is_dir():
        here = path.resolve()
        if here in above:
            return
        if form := next((f for f in FORMATS if f.folder and f.matches(relative)), None):
            found.towers.append((form, path))
            return
        for inside in sorted(path.iterdir()):
            if not inside.name.startswith("."):
                _sort(inside, f"{relative}/{inside.name}", found, limits, above | {here})
        return
    before = found.count
    known = [_sort_file(file, name, found) for file, name in _files(path, relative, limits)]
    # AUX tables and weekly files of a known product are nothing to warn about, nor is text beside the tables
    if found.count == before and not any(known) and _TABLE.fullmatch(path.name) and path.name not in _NOT_TOWERS:
        found.ignored.append(path)


def _files(path: Path, relative: str, limits: Limits) -> Iterator[tuple[TableFile, str]]:
    """Give the file itself, or what lies inside the archive, with the path that formats are matched by."""
    if path.suffix.lower() != ".zip":
        yield with_limits(path, limits), relative
        return
    for member in members(path, limits):
        yield member, "/".join(filter(None, (relative, member.inner, member.stored))).replace("\\", "/")


def _sort_file(file: TableFile, name: str, found: Found) -> bool:
    """Put a file into its list; whether its name is known at all."""
    inside = isinstance(file, Member)
    if product := next((product for product, matches in NO_TOWERS if matches(name)), None):
        found.no_towers[file] = product
        return True
    for form in FORMATS:
        if not form.folder and (form.in_archives or not inside) and form.matches(name):
            found.towers.append((form, file))
            return True
    for about in METADATA:
        if about.matches(name):
            found.metadata.append((about, file))
            return True
    return fluxnet_names.is_known(file.name)
