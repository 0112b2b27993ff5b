"""What each file of the tower folders is, by names alone: one entry for every file and every member of an archive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from dere.ingest.archives import Member, TableFile, emptiness
from dere.ingest.limits import BeyondLimit, Limits
from dere.ingest.source import PassedOver, Product, Source
from dere.ingest.tower.claims import claim
from dere.ingest.tower.faults import SiteFault
from dere.ingest.tower.walk import ARCHIVE, STORE, hidden, inside, why_not_searched
from dere.ingest.unread import BESIDE, IGNORED, METADATA, PASSED_OVER, READ, is_companion, reason_of

# tables of the same folder that the cover is made of
_COVER_TABLES = {
    "site_plant_types.csv": "table of plant types by site, read with the cover",
    "site_age_weights.csv": "table of stand ages by site, read with the cover",
    "lat_lon_age_weights.csv": "table of stand ages by cell, read where sources.cover names its folder",
}


class Entry(NamedTuple):
    """A file, or a member of an archive, by its name alone.

    ``path`` leads from the source folder on; ``what`` is one of ``READ`` and its like, ``why`` says why it is not read.
    """

    file: TableFile
    path: str
    what: str
    source: Source | None = None
    why: str = ""


@dataclass
class Found:
    """Files of the folders by what they are.

    Not read are ``passed_over`` (with the reason), ``no_towers`` (with the product) and ``ignored``: a file, an archive
    of which nothing is known, or a member of an archive. ``joined`` gives the files that are read with another one, by
    that one; ``damaged`` has files of a single site that cannot be opened, with the site's fault; ``entries`` has every
    file and member once.
    """

    towers: list[tuple[Source, TableFile]] = field(default_factory=list)
    metadata: list[tuple[Source, TableFile]] = field(default_factory=list)
    passed_over: dict[TableFile, PassedOver] = field(default_factory=dict)
    no_towers: dict[TableFile, Product] = field(default_factory=dict)
    damaged: dict[Path, SiteFault] = field(default_factory=dict)
    ignored: list[TableFile] = field(default_factory=list)
    joined: dict[TableFile, tuple[TableFile, ...]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Files that are read."""
        return len(self.towers) + len(self.metadata)


class Fault(ValueError):
    """A file that should be read and cannot be opened; told apart, so that all of them are listed at once."""


def sort_into(path: Path, relative: str, found: Found, limits: Limits, among: Sequence[Source]) -> None:
    """Put a file, or what lies inside an archive, into the lists.

    Raises
    ------
    Fault
        When an archive, or a link to a file of a known name, cannot be opened.
    """
    if path.is_dir():
        why = why_not_searched(path)
        found.entries.append(Entry(path, relative, IGNORED if why == STORE else PASSED_OVER, None, why))
        found.ignored += [path] if why == STORE else []
        return
    archive = path.suffix.lower() == ARCHIVE and not hidden(path)
    if path.is_symlink() and not path.exists() and not archive:
        _sort_dangling(path, relative, found, among)
        return
    try:
        sorted_out = [_entry(file, name, among) for file, name in inside(path, relative, limits)]
        empty = "" if sorted_out else emptiness(path)
    except BeyondLimit:
        raise
    except ValueError as error:
        raise Fault(error) from None
    if empty:
        sorted_out = [(Entry(path, relative, IGNORED, None, empty), None)]
    elif archive and all(entry.source is None for entry, _ in sorted_out):
        # nothing in it is known: the archive is named, not each of its members
        found.ignored.append(path)
        found.entries += [entry for entry, _ in sorted_out]
        return
    for entry, product in sorted_out:
        found.entries.append(entry)
        if product is not None:
            found.no_towers[entry.file] = product
        elif entry.what == IGNORED:
            found.ignored.append(entry.file)
        elif entry.source and entry.what in (READ, METADATA):
            (found.towers if entry.what == READ else found.metadata).append((entry.source, entry.file))


def _sort_dangling(path: Path, relative: str, found: Found, among: Sequence[Source]) -> None:
    """Put a link that leads nowhere into the lists.

    Raises
    ------
    Fault
        When a file of its name would be read.
    """
    entry, _ = _entry(path, relative, among)
    target = path.readlink()
    if entry.what in (READ, METADATA):
        raise Fault(f"{path} is a link to {target}, which does not exist; put the file there, or remove the link")
    found.entries.append(entry._replace(why=f"link to {target.name}, which does not exist"))
    found.ignored += [path] if entry.what == IGNORED else []


def _entry(file: TableFile, path: str, among: Sequence[Source]) -> tuple[Entry, Product | None]:
    """Say what a file is by its name, and whose product it is where it holds no towers."""
    if hidden(file):
        return Entry(file, path, PASSED_OVER, None, "hidden file"), None
    owner = claim(path, isinstance(file, Member), among)
    if owner is None:
        if file.name in _COVER_TABLES:
            return Entry(file, path, PASSED_OVER, None, _COVER_TABLES[file.name]), None
        if is_companion(file.name):
            return Entry(file, path, PASSED_OVER, None, BESIDE), None
        return Entry(file, path, IGNORED, None, reason_of(file.name)), None
    if owner.without is not None:
        return Entry(file, path, PASSED_OVER, owner.source, "holds no towers"), owner.without
    if not owner.read:
        return Entry(file, path, PASSED_OVER, owner.source, f"another file of {owner.source.name}, not read"), None
    return Entry(file, path, READ if owner.source.kind == "tower" else METADATA, owner.source), None
