"""Which record each site uses and where it is; a fault of one site drops that site with its sentence."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from dere.ingest.checks import check_sunlight
from dere.ingest.tower.choice import choose
from dere.ingest.tower.faults import SiteFault, fault_of, no_site_left, warn_dropped
from dere.ingest.tower.file_records import FileRecord
from dere.ingest.tower.placement import Metadata, SiteTable, describe_site
from dere.ingest.tower.plausibility import check_products, check_record
from dere.ingest.tower.record import SiteRecord

log = logging.getLogger(__name__)


def choose_each(records: Sequence[SiteRecord]) -> tuple[dict[str, SiteRecord], dict[str, str]]:
    """Newest processing of each site, and the sentence of each site that has two files of it."""
    by_site: dict[str, list[SiteRecord]] = {}
    for record in records:
        by_site.setdefault(record.site, []).append(record)
    chosen: dict[str, SiteRecord] = {}
    faults: list[SiteFault] = []
    for site, own in sorted(by_site.items()):
        chosen[site] = max(own, key=lambda record: record.rank)
        with fault_of(site, faults):
            chosen |= choose(own)
    return chosen, dict(faults)


def place(
    chosen: Mapping[str, SiteRecord],
    read: Sequence[FileRecord],
    tables: Sequence[SiteTable],
    doubled: Mapping[str, str],
    of_files: Sequence[SiteFault],
    missing_coordinates: str,
) -> tuple[dict[str, Metadata], dict[str, str]]:
    """Metadata of every site that can be used, and why each other one is dropped.

    A site is checked against its sunlight and its units by itself, then the units against all sites. A fault of a file
    (``of_files``) drops a site that nothing else brings or places.

    Raises
    ------
    ValueError
        When no site is left, a product has a wrong unit, or coordinates are missing that must not.
    """
    by_site: dict[str, list[SiteRecord]] = {}
    for _, record, _ in read:
        by_site.setdefault(record.site, []).append(record)
    files = {record.source: file for file, record, _ in read}
    placed: dict[str, Metadata] = {}
    dropped = dict(doubled)
    unplaced = []
    for site in [site for site in chosen if site not in doubled]:
        record, faults = chosen[site], list[SiteFault]()
        with fault_of(site, faults):
            about = describe_site(record, files, by_site[site], tables)
            if about is None:
                unplaced.append(site)
                continue
            what = f"{record.source}: site {site} (coordinates from {about.origin})"
            check_sunlight(about.lat, record.values["shortwave"], record.months, what)
            check_record(record, about.lat)
            placed[site] = about
        dropped |= dict(faults)
    for fault in of_files:
        if fault.site and fault.site not in placed:
            dropped.setdefault(fault.site, fault.sentence)
    warn_dropped(dropped, [fault for fault in of_files if fault.site not in dropped], len({*chosen, *dropped}))
    check_products([chosen[site] for site in placed])
    sentences = [*dropped.values(), *(fault.sentence for fault in of_files if not fault.site)]
    if unplaced := [site for site in unplaced if site not in dropped]:
        sentences.append(
            f"{len(unplaced)} of {len(chosen)} sites have no coordinates in a BIF table, their own file or a table of "
            f"sites ({', '.join(unplaced[:5])}); add a sites.csv with columns site, lat, lon, igbp to a tower folder"
        )
        if missing_coordinates == "error":
            raise ValueError(sentences[-1])
        log.warning("%s; they are dropped", sentences[-1])
    if not placed:
        raise ValueError(no_site_left(sentences))
    return placed, dropped | dict.fromkeys(unplaced, "no coordinates")
