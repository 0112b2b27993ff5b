"""Which files of the tower folders are what, by their names; zip archives are looked into.

The names are asked twice. Before any job, ``wanted`` says which sources a run needs, so that the others are no part of
its code; in the job, ``recognise`` sorts the files by those sources.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from dere.config.towers import TowerSource
from dere.ingest.archives import label, stored_names
from dere.ingest.limits import Limits
from dere.ingest.source import Source, declarations
from dere.ingest.tower.claims import claim, known_sources
from dere.ingest.tower.faults import SiteFault, no_site_left, site_of
from dere.ingest.tower.sorting import Entry, Fault, Found, sort_into
from dere.ingest.tower.walk import ARCHIVE, entries, hidden
from dere.ingest.unread import DROPPED, FORMAT, IGNORED, READ, warn_of

log = logging.getLogger(__name__)


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
        for path, name, own in entries(folder, _called(folder), among) if folder.exists() else ():
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


def _called(folder: Path) -> str:
    """Name of a source folder, also where it is given as a dot."""
    return folder.name or folder.resolve().name


def _claiming(path: Path, name: str, among: Sequence[Source]) -> list[Source]:
    """Sources that know a file, or what an archive holds."""
    if hidden(path) or path.is_dir():
        return []
    if path.suffix.lower() != ARCHIVE:
        found = claim(name, False, among)
        return [found.source] if found else []
    anything = [source for source in among if source.in_archives]
    try:
        stored = stored_names(path)
    except ValueError:
        return anything
    if any(member.lower().endswith(ARCHIVE) for member in stored):
        return anything
    claims = [claim(f"{name}/{member}".replace("\\", "/"), True, among) for member in stored]
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
        When a folder holds neither towers nor site metadata, an archive of several sites cannot be opened, or two
        sources read a file.
    """
    config = config or TowerSource()
    among = known_sources() if among is None else among
    limits = Limits(int(config.maximum_member_gb * (1 << 30)), config.maximum_compression)
    found = Found()
    faults: list[str] = []
    for folder in map(Path, folders):
        if not folder.exists():
            raise FileNotFoundError(f"{folder} is no folder; correct sources.towers.paths or put the tower files there")
        before, unknown, without = found.count, len(found.ignored), len(found.no_towers)
        sound = len(found.damaged)
        for path, relative, source in entries(folder, _called(folder), among):
            if source is not None:
                found.towers.append((source, path))
                found.entries.append(Entry(path, relative, READ, source))
                continue
            try:
                sort_into(path, relative, found, limits, among)
            except Fault as fault:
                if site := site_of(path.name):
                    found.damaged[path] = SiteFault(site, str(fault))
                    found.entries.append(Entry(path, relative, DROPPED, None, str(fault)))
                else:
                    faults.append(str(fault))
        if found.count == before and not faults and (damaged := list(found.damaged.values())[sound:]):
            raise ValueError(no_site_left([fault.sentence for fault in damaged]))
        if found.count == before and not faults:
            rest = found.ignored[unknown:]
            held = f"{len(rest)} tables of unknown format ({label(rest[0])}, ...)" if rest else "no table"
            if others := list(found.no_towers)[without:]:
                held = f"{len(others)} tables without towers ({others[0].name}, ...)"
            known = ", ".join(source.name for source in among if source.kind == "tower" and not source.shipped)
            raise ValueError(
                f"{folder} holds {held}, but files of {known} or site metadata are needed; keep the products' own "
                "file names"
            )
    why = {entry.file: entry.why for entry in found.entries if entry.what == IGNORED}
    warn_of(log, [(label(file), file.name, why.get(file, FORMAT)) for file in found.ignored])
    if faults:
        raise ValueError(
            faults[0] if len(faults) == 1 else f"{len(faults)} files cannot be opened: {'; '.join(faults)}"
        )
    for source in among:
        if source.select is not None:
            found.passed_over |= source.select([file for of, file in found.towers if of is source], config)
        if source.joins is not None:
            found.joined |= source.joins([file for of, file in found.towers if of is source], config)
    further = {file for files in found.joined.values() for file in files}
    left = found.passed_over.keys() | further
    found.towers = [(source, file) for source, file in found.towers if file not in left]
    if found.passed_over:
        log.info("%d tower files are passed over for a preferred step of the same record", len(found.passed_over))
    return found
