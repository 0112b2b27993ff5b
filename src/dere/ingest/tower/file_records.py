"""Records of every tower file, and what became of the files that gave none."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from dere.config.towers import TowerSource
from dere.ingest.archives import TableFile, label
from dere.ingest.provenance import UNKNOWN
from dere.ingest.source import Product
from dere.ingest.tower.choice import with_partitioning
from dere.ingest.tower.faults import SiteFault, fault_of, site_of
from dere.ingest.tower.record import NoTowers, SiteRecord, possible_months
from dere.ingest.tower.sorting import Found

log = logging.getLogger(__name__)

FileRecord = tuple[TableFile, SiteRecord, Product]
"""A file, a record of it, and whose it is."""


class Given(NamedTuple):
    """What tower files gave.

    Parameters
    ----------
    records
        Every record with its file and product.
    no_towers
        Product of each file that holds no towers, by name or by content.
    faults
        Files, or parts of files, that cannot be read: of one site each, or of a site that is not known.
    """

    records: list[FileRecord]
    no_towers: dict[TableFile, Product]
    faults: list[tuple[TableFile, Product, SiteFault]]


def read_files(found: Found, config: TowerSource) -> Given:
    """Read every tower file.

    Raises
    ------
    NoTowers
        When none of several tables has a tower.
    """
    records: list[FileRecord] = []
    without = dict(found.no_towers)
    reasons: list[NoTowers] = []
    lost: list[tuple[TableFile, Product, SiteFault]] = [
        (archive, UNKNOWN, fault) for archive, fault in found.damaged.items()
    ]
    for source, file in found.towers:
        given: Sequence[SiteRecord | SiteFault] = []
        faults: list[SiteFault] = []
        joined = found.joined.get(file, ())
        with fault_of(site_of(file.name), faults):
            try:
                given = source.reader()(file, config, *joined)
            except NoTowers as reason:
                without[file] = source.product(reason.product)
                reasons.append(reason)
        # which of several products it is stands in what cannot be read
        product = source.products[0] if len(source.products) == 1 else UNKNOWN
        for part in given:
            if isinstance(part, SiteFault):
                faults.append(part)
                continue
            with fault_of(part.site, faults):
                record = with_partitioning(possible_months(replace(part, joined=joined)), config)
                records.append((file, record, source.product(part.product)))
        lost += [(file, product, fault) for fault in faults]
    if reasons and not records and not lost:
        raise reasons[0]
    if without:
        names = ", ".join(label(file) for file in without)
        log.info("%d tables hold no towers and are passed over (%.200s)", len(without), names)
    return Given(records, without, lost)
