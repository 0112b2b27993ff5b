"""Reading tables of site metadata: one that speaks of a single site costs no more than that site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from dere.ingest.archives import TableFile, label
from dere.ingest.source import Source
from dere.ingest.tower.faults import SiteFault, fault_of, site_of
from dere.ingest.tower.first_stated import first_of_sites
from dere.ingest.tower.placement import PLACING, SiteTable
from dere.ingest.tower.record import SiteRecord
from dere.ingest.tower.site_table_checks import checked


def read_metadata(
    found: Sequence[tuple[Source, TableFile]], chosen: Mapping[str, SiteRecord]
) -> tuple[list[SiteTable], dict[TableFile, SiteFault]]:
    """Read tables of site metadata.

    Parameters
    ----------
    found
        Files with the sources that read them.
    chosen
        Record that each site uses; statements from after its end count last.

    Returns
    -------
    tuple
        The tables in the order of ``found``, and the faults of files that name a single site and cannot be read.

    Raises
    ------
    FileNotFoundError, ValueError
        When a table that speaks of several sites cannot be read.
    """
    tables: list[SiteTable] = []
    faults: dict[TableFile, SiteFault] = {}
    ends = {site: _last_day(record) for site, record in chosen.items()}
    for about, file in found:
        arguments = (file, ends) if about.dated else (file,)
        site = site_of(file.name)
        if not site:
            tables.append(_table(about, file, about.reader()(*arguments)))
            continue
        of_file: list[SiteFault] = []
        with fault_of(site, of_file):
            tables.append(_table(about, file, about.reader()(*arguments)))
        if of_file:
            faults[file] = of_file[0]
    return tables, faults


def _table(about: Source, file: TableFile, rows: pd.DataFrame) -> SiteTable:
    """Table with the checks that all share; one that places no site, such as a list of citations, as it is."""
    if about.role not in PLACING:
        return SiteTable(about.role, file, rows)
    return SiteTable(about.role, file, first_of_sites(checked(rows.rename_axis("site").reset_index(), label(file))))


def _last_day(record: SiteRecord) -> int:
    """Last day of a record as YYYYMMDD; no month is longer than 31 days."""
    month = int(record.months[-1])
    return month // 12 * 10000 + (month % 12 + 1) * 100 + 31
