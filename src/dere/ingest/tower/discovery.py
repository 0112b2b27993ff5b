"""Which files of the tower folders are what, by their names; zip archives are looked into.

The names are asked twice. Before any job, ``wanted`` says which sources a run needs, so that the others are no part of
its code; in the job, ``recognise`` sorts the files by those sources.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import NamedTuple

from dere.config.towers import TowerSource
from dere.ingest.archives import Limits, Member, TableFile, members, stored_names, with_limits
from dere.ingest.source import PassedOver, Product, Source, declarations, sources
from dere.regular_file import MOST_FILES, too_many

log = logging.getLogger(__name__)

# tables of the same folder that the cover is made of
_NOT_TOWERS = {"site_plant_types.csv", "site_age_weights.csv", "lat_lon_age_weights.csv"}
_TABLE = re.compile(r".*\.(csv(\.gz)?|xlsx|zip)", re.IGNORECASE)
_ARCHIVE = ".zip"


class Claim(NamedTuple):
    """Whose a file is, and of which product where it holds no towers; ``read`` is false for what is only known."""

    source: Source
    read: bool
    without: Product | None = None


@dataclass
class Found:
    """Files of the folders by what they are.

    Not read are ``passed_over`` (with the reason), ``no_towers`` (with the product) and ``ignored``.
    """

    towers: list[tuple[Source, TableFile]] = field(default_factory=list)
    metadata: list[tuple[Source, TableFile]] = field(default_factory=list)
    passed_over: dict[TableFile, PassedOver] = field(default_factory=dict)
    no_towers: dict[TableFile, Product] = field(default_factory=dict)
    ignored: list[Path] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Files that are read."""
        return len(self.towers) + len(self.metadata)


def known_sources() -> tuple[Source, ...]:
    """Every source of towers and of what is known of sites."""
    return tuple(source for source in sources() if source.kind in ("tower", "metadata"))


def claim(path: str, inside: bool, among: Sequence[Source]) -> Claim | None:
    """Say whose a file is.

    Parameters
    ----------
    path
        Its path from the source folder on.
    inside
        It lies in an archive.
    among
        Sources to ask, in order.

    Raises
    ------
    ValueError
        When two sources that are asked together both read it.
    """
    for source in among:
        for key, matches in source.without.items():
            if matches(path):
                return Claim(source, False, source.product(key))
    fitting = [s for s in among if not s.folder and (s.in_archives or not inside) and s.matches(path)]
    for other in fitting[1:]:
        if (other.kind, other.order) == (fitting[0].kind, fitting[0].order):
            raise ValueError(
                f"{path} is named like files of {fitting[0].name} and of {other.name}, but one source must read it; "
                "rename the file, or let one of the two match fewer names"
            )
    if fitting:
        return Claim(fitting[0], True)
    owner = next((source for source in among if source.known and source.known(path)), None)
    return Claim(owner, False) if owner else None


def wanted(folders: Sequence[Path]) -> tuple[str, ...]:
    """Modules whose sources the files of some folders need, by names alone; sorted.

    Names in an archive come from its directory. An archive inside an archive would have to be unpacked, so it may hold
    all that is read from archives, and so may one that is damaged. Where a folder holds nothing that is known, or is
    missing, every source is needed: the sentence of the job lists them.

    Raises
    ------
    ValueError
        When two sources read one file.
    """
    among = known_sources()
    needed: list[Source] = []
    for folder in map(Path, folders):
        found: list[Source] = []
        for path, name, own in _entries(folder, folder.name, among) if folder.exists() else ():
            found += [own] if own else _claiming(path, name, among)
        needed += found or among
    return modules_of(needed)


def wanted_by_names(names: Sequence[str]) -> tuple[str, ...]:
    """Modules whose sources files of some names need; sorted."""
    among = known_sources()
    return modules_of([found.source for name in names if (found := claim(name, False, among))])


def modules_of(needed: Sequence[Source]) -> tuple[str, ...]:
    """Modules that declare some sources; sorted."""
    chosen = {(source.kind, source.name) for source in needed}
    return tuple(sorted(name for name, group in declarations().items() if chosen & {(s.kind, s.name) for s in group}))


def _claiming(path: Path, name: str, among: Sequence[Source]) -> list[Source]:
    """Sources that know a file, or what an archive holds."""
    if path.suffix.lower() != _ARCHIVE:
        found = claim(name, False, among)
        return [found.source] if found else []
    anything = [source for source in among if source.in_archives]
    try:
        stored = stored_names(path)
    except ValueError:
        return anything
    if any(inside.lower().endswith(_ARCHIVE) for inside in stored):
        return anything
    claims = [claim(f"{name}/{inside}".replace("\\", "/"), True, among) for inside in stored]
    return [found.source for found in claims if found]


def recognise(
    folders: Sequence[Path], config: TowerSource | None = None, among: Sequence[Source] | None = None
) -> Found:
    """Sort what lies in ``folders`` (searched with their sub-folders and zip archives) by source.

    Parameters
    ----------
    folders
        Folders, or single files.
    config
        Preferred resolution and limits of archives; defaults when None.
    among
        Sources to ask, in order; every one when None.

    Raises
    ------
    FileNotFoundError
        When a folder is missing.
    ValueError
        When a folder holds neither towers nor site metadata, an archive cannot be opened, or two sources read a file.
    """
    config = config or TowerSource()
    among = known_sources() if among is None else among
    limits = Limits(int(config.maximum_member_gb * (1 << 30)), config.maximum_compression)
    found = Found()
    for folder in map(Path, folders):
        if not folder.exists():
            raise FileNotFoundError(f"{folder} is no folder; correct sources.towers.paths or put the tower files there")
        before, unknown, without = found.count, len(found.ignored), len(found.no_towers)
        for path, relative, source in _entries(folder, folder.name, among):
            if source is not None:
                found.towers.append((source, path))
            else:
                _sort(path, relative, found, limits, among)
        if found.count == before:
            rest = found.ignored[unknown:]
            held = f"{len(rest)} tables of unknown format ({rest[0].name}, ...)" if rest else "no table"
            if others := list(found.no_towers)[without:]:
                held = f"{len(others)} tables without towers ({others[0].name}, ...)"
            known = ", ".join(source.name for source in among if source.kind == "tower")
            raise ValueError(
                f"{folder} holds {held}, but files of {known} or site metadata are needed; keep the products' own "
                "file names"
            )
    for source in among:
        if source.select is not None:
            found.passed_over |= source.select([file for of, file in found.towers if of is source], config)
    found.towers = [(source, file) for source, file in found.towers if file not in found.passed_over]
    for path in found.ignored:
        log.warning("%s: format not recognised, ignored", path.name)
    if found.passed_over:
        log.info("%d tower files are passed over for a preferred step of the same record", len(found.passed_over))
    return found


def _entries(
    path: Path,
    relative: str,
    among: Sequence[Source],
    above: frozenset[tuple[int, int]] = frozenset(),
    visits: Iterator[int] | None = None,
) -> Iterator[tuple[Path, str, Source | None]]:
    """Yield the files below a path with their paths from the source folder on, and folders that a source reads whole.

    ``above`` are the folders it lies in (device and inode), which a link may lead back to; ``visits`` counts all that
    was looked at, since links between folders lead along more ways than there are files.
    """
    visits = visits or count()
    if next(visits) > MOST_FILES:
        raise too_many(path)
    if not path.is_dir():
        yield path, relative, None
        return
    status = path.stat()
    here = status.st_dev, status.st_ino
    if here in above:
        return
    if source := next((source for source in among if source.folder and source.matches(relative)), None):
        yield path, relative, source
        return
    for inside in sorted(path.iterdir()):
        if not inside.name.startswith("."):
            yield from _entries(inside, f"{relative}/{inside.name}", among, above | {here}, visits)


def _sort(path: Path, relative: str, found: Found, limits: Limits, among: Sequence[Source]) -> None:
    """Put a file, or what lies inside an archive, into the lists."""
    before = found.count
    known = [_sort_file(file, name, found, among) for file, name in _files(path, relative, limits)]
    # AUX tables and weekly files of a known product are nothing to warn about, nor is text beside the tables
    if found.count == before and not any(known) and _TABLE.fullmatch(path.name) and path.name not in _NOT_TOWERS:
        found.ignored.append(path)


def _files(path: Path, relative: str, limits: Limits) -> Iterator[tuple[TableFile, str]]:
    """Give the file itself, or what lies inside the archive, with the path that sources match."""
    if path.suffix.lower() != _ARCHIVE:
        yield with_limits(path, limits), relative
        return
    for member in members(path, limits):
        yield member, "/".join(filter(None, (relative, member.inner, member.stored))).replace("\\", "/")


def _sort_file(file: TableFile, name: str, found: Found, among: Sequence[Source]) -> bool:
    """Put a file into its list; whether its name is known at all."""
    owner = claim(name, isinstance(file, Member), among)
    if owner is None:
        return False
    if owner.without is not None:
        found.no_towers[file] = owner.without
    elif owner.read:
        (found.towers if owner.source.kind == "tower" else found.metadata).append((owner.source, file))
    return True
