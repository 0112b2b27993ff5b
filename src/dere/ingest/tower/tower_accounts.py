"""What became of every file of the tower folders, once those that are read have been read."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from dere.ingest.accounts import Account, lines_of, size_of
from dere.ingest.archives import Member, TableFile, label
from dere.ingest.tower.file_records import Given
from dere.ingest.tower.site_ids import codes_in, resolved
from dere.ingest.tower.sorting import Entry, Found
from dere.ingest.unread import DROPPED, PASSED_OVER, READ

log = logging.getLogger(__name__)

# the networks' files about all sites
_ALL_SITES = "AA-Flx"
_FIRST = 5


def account_for(found: Found, given: Given) -> list[Account]:
    """Account for every file and member of an archive, and log one line per kind.

    Parameters
    ----------
    found
        The files by their names.
    given
        What the tower files gave.

    Returns
    -------
    list
        In the order of the folders. Sites of which an archive, or a step that the configuration does not name, holds
        the only files are warned of: nothing else would say that they are missing.
    """
    sites: dict[TableFile, list[str]] = {}
    titles = {file: product.title for file, product in given.no_towers.items()}
    joined: dict[TableFile, str] = {}
    for file, record, product in given.records:
        for each in (file, *record.joined):
            sites.setdefault(each, []).append(record.site)
            titles[each] = product.title
        joined |= dict.fromkeys(record.joined, f"read with {record.source}")
    faults = {file: fault for file, _, fault in given.faults}
    accounts: list[Account] = []
    lost: dict[str, str] = {}
    known = {site for group in sites.values() for site in group}
    for entry in found.entries:
        what, why = entry.what, entry.why or joined.get(entry.file, "")
        if entry.file in found.passed_over:
            what, why = PASSED_OVER, found.passed_over[entry.file].reason
        elif entry.file in given.no_towers:
            what, why = PASSED_OVER, "holds no towers"
        elif entry.file in faults and entry.file not in sites:
            what, why = DROPPED, faults[entry.file].sentence
        elif what == READ and entry.file not in sites:
            what, why = PASSED_OVER, "gave no record: its step or coverage is not among those of sources.towers"
        named = sites.get(entry.file) or _named(entry.file)
        accounts.append(_account(entry, what, why, named, titles.get(entry.file, "")))
        unread = what == PASSED_OVER and entry.source is not None and entry.file not in given.no_towers
        if unread and (isinstance(entry.file, Member) or entry.what == READ):
            lost |= {site: f"{site} ({label(entry.file)}: {why})" for site in named if site not in known | set(lost)}
    if lost:
        log.warning(
            "%d sites have files here of which none is read: %s%s; add their monthly, daily or half-hourly tables, or "
            "change sources.towers.resolution",
            len(lost), "; ".join(list(lost.values())[:_FIRST]), "; ..." if len(lost) > _FIRST else "",
        )  # fmt: skip
    for line in lines_of("towers", accounts):
        log.info("%s", line)
    return accounts


def _named(file: TableFile) -> list[str]:
    """Site in the name of a file, or of the archive that holds it; none where it is of all sites."""
    names = (file.stored, file.inner, file.archive.name) if isinstance(file, Member) else (file.name,)
    found = next((codes for name in names if (codes := codes_in(name))), [_ALL_SITES])
    return [resolved(found[0])] if found[0] != _ALL_SITES else []


def _account(entry: Entry, what: str, why: str, sites: Sequence[str], product: str) -> Account:
    """Row of an entry."""
    file, source = entry.file, entry.source
    if not product and source and len(source.products) == 1:
        product = source.products[0].title
    common = (what, source.name if source else "", product, why, " ".join(sorted(set(sites))))
    if not isinstance(file, Member):
        place = PurePosixPath(entry.path)
        return Account(place.parent.as_posix(), place.name, "", *common, size_of(Path(file)))
    member = "/".join(filter(None, (file.inner, file.stored))).replace("\\", "/")
    archive = PurePosixPath(entry.path[: -len(member) - 1])
    return Account(archive.parent.as_posix(), archive.name, member, *common, file.size)
