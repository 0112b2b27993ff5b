"""One tower under several networks, versions or codes is one site: its newest processing is taken whole.

The newest product comes first (``source.Product.rank``), then the higher version of a product, then FULLSET.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from dere.config.towers import TowerSource
from dere.ingest.archives import TableFile, label
from dere.ingest.quantities import FURTHER
from dere.ingest.source import PassedOver
from dere.ingest.tower.record import SiteRecord
from dere.ingest.tower.twins import Twins
from dere.ingest.tower.variants import partitionings

log = logging.getLogger(__name__)

COLUMNS = ("site", "file", "processing", "rank", "used", "reason")


def choose(records: Sequence[SiteRecord]) -> dict[str, SiteRecord]:
    """Newest processing of each site.

    Raises
    ------
    ValueError
        When two files of one site have the same processing.
    """
    chosen: dict[str, SiteRecord] = {}
    for record in records:
        rival = chosen.get(record.site)
        if rival is not None and rival.rank == record.rank:
            raise ValueError(
                f"site {record.site} is in {rival.source} and in {record.source}, both {record.processing}, but a site "
                "may come once per processing; remove one of the files"
            )
        if rival is None or record.rank > rival.rank:
            chosen[record.site] = record
    _warn_of_lost(records, chosen)
    return dict(sorted(chosen.items()))


def _warn_of_lost(records: Sequence[SiteRecord], chosen: Mapping[str, SiteRecord]) -> None:
    """Log which sites have a quantity in an older processing alone, which is not read."""
    for name in FURTHER:
        with_it = {record.site for record in records if np.isfinite(record.values.get(name, np.nan)).any()}
        lost = sorted(site for site in with_it if not np.isfinite(chosen[site].values.get(name, np.nan)).any())
        if lost:
            log.warning(
                "%s of %s is not read: another record of the site is the newer processing and is taken whole; leave "
                "out the files of that where %s is wanted",
                name,
                ", ".join(lost),
                name,
            )


def with_partitioning(record: SiteRecord, config: TowerSource) -> SiteRecord:
    """Set ``partitioning`` to the wanted one, or where it has no month with NEE and GPP, to the other if allowed."""
    nee = np.isfinite(record.values.get("nee", np.nan))
    for partitioning in partitionings(config):
        if (nee & np.isfinite(record.values.get(f"gpp_{partitioning}", np.nan))).any():
            break
    else:
        partitioning = config.partitioning
    fallback = record.counts.get("fallback", int(partitioning != config.partitioning))
    counts = record.counts | ({"fallback": 1} if fallback else {})
    return replace(record, partitioning=partitioning, counts=counts)


def merged_table(
    records: Sequence[SiteRecord],
    passed_over: Mapping[TableFile, PassedOver],
    chosen: Mapping[str, SiteRecord],
    twins: Twins,
) -> pd.DataFrame:
    """What became of every file of the sites that have more than one.

    Parameters
    ----------
    records
        All records read.
    passed_over
        Files that were not read, each with the reason.
    chosen
        Record that each site uses.
    twins
        Codes under which files name a tower that is kept under another one.

    Returns
    -------
    DataFrame
        ``COLUMNS``, ordered by site and rank: 1 is the newest processing, files that were not read have no rank.
    """
    rows: list[tuple[str, str, str, int | None, bool, str]] = []
    ranks: dict[str, list[tuple[int, ...]]] = {}
    for record in records:
        ranks.setdefault(record.site, []).append(record.rank)
    for record in records:
        winner = chosen[record.site]
        used = record is winner
        reason = "newest processing" if used else f"{winner.processing} ({winner.source}) is newer"
        if record.code:
            reason += f"; {record.code} is {record.site} ({twins.reasons[record.code]})"
        rank = 1 + sum(rival > record.rank for rival in ranks[record.site])
        rows.append((record.site, record.source, record.processing, rank, used, reason))
    for file, over in passed_over.items():
        rows.append((twins.kept.get(over.site, over.site), label(file), over.processing, None, False, over.reason))
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"rank": "Int64"})
    several = table.groupby("site")["file"].transform("size") > 1
    return table[several].sort_values(["site", "rank", "file"]).reset_index(drop=True)
