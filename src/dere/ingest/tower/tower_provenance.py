"""Provenance of the towers: a row for every file, with what became of it and of its site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from dere.ingest.archives import TableFile, container, label
from dere.ingest.possible import COUNT, packed
from dere.ingest.provenance import UNKNOWN, provenance_row
from dere.ingest.source import Product
from dere.ingest.tower.faults import SiteFault
from dere.ingest.tower.file_records import FileRecord, Given
from dere.ingest.tower.placement import Metadata
from dere.ingest.tower.record import SiteRecord
from dere.ingest.tower.site_citations import citation_of
from dere.ingest.tower.sorting import Found
from dere.ingest.tower.twins import Twins

DROPPED = "dropped: "
"""What the role of a file begins with whose site is not used."""


class Outcome(NamedTuple):
    """What became of the sites.

    Parameters
    ----------
    chosen
        Record that each site uses.
    placed
        Where each site is that is used.
    dropped
        Why each other one is not.
    twins
        Codes of one tower.
    use_satellites
        LAI and EVI are wanted.
    """

    chosen: Mapping[str, SiteRecord]
    placed: Mapping[str, Metadata]
    dropped: Mapping[str, str]
    twins: Twins
    use_satellites: bool


def provenance(
    found: Found,
    read: Sequence[FileRecord],
    given: Given,
    of_tables: Mapping[TableFile, SiteFault],
    outcome: Outcome,
    tables: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """Rows of the provenance table.

    Parameters
    ----------
    found
        Files by what they are.
    read
        Every record, under the code of its tower, with its file and product.
    given
        What the files gave, by the codes in them.
    of_tables
        Faults of tables of site metadata.
    outcome
        What became of the sites.
    tables
        Tables that cite, by kind.
    """
    rows = [
        _of_record(file, record, product, outcome) | citation_of(record, tables, outcome.twins.codes(record))
        for file, record, product in read
    ]
    rows += [
        _row(file, product, f"{DROPPED}{fault.sentence}", site=fault.site) for file, product, fault in given.faults
    ]
    rows += [
        _row(file, about.products[0], f"{DROPPED}{of_tables[file].sentence}" if file in of_tables else "metadata")
        for about, file in found.metadata
    ]
    rows += [_row(file, product, "passed over (no towers)") for file, product in given.no_towers.items()]
    rows += [
        _row(file, product, f"read with {record.source}", site=record.site)
        for _, record, product in read
        for file in record.joined
    ]
    rows += [_row(file, UNKNOWN, "ignored") for file in found.ignored]
    return pd.DataFrame(rows)


def _row(file: TableFile, product: Product, role: str, **more: Any) -> dict[str, Any]:
    """Row of a file that gives no months."""
    return provenance_row(container(file), product, 0, file=label(file), role=role, **more)


def _of_record(file: TableFile, record: SiteRecord, product: Product, outcome: Outcome) -> dict[str, Any]:
    """Row of a record."""
    winner = outcome.chosen[record.site]
    role = "fluxes and drivers" if winner is record else f"superseded by {winner.source}"
    role += f" ({record.code} is {record.site})" if record.code else ""
    if record.site in outcome.dropped:
        role = f"{DROPPED}{outcome.dropped[record.site]}"
    elif outcome.use_satellites and (product.satellites or (record.has_satellites and winner is record)):
        role = "fluxes, drivers, satellites" if winner is record else f"satellites only; {role}"
    first, last = int(record.months[0]), int(record.months[-1])
    return provenance_row(
        container(file),
        product,
        len(record.months),
        file=label(file),
        role=role,
        site=record.site,
        processing=record.processing,
        first_month=f"{first // 12}-{first % 12 + 1:02d}",
        last_month=f"{last // 12}-{last % 12 + 1:02d}",
        nee_months=int(np.isfinite(record.values["nee"]).sum()),
        coordinates_from=outcome.placed[record.site].origin if record.site in outcome.placed else "",
        variant=f"{record.variant} {record.partitioning}",
        breaches=" ".join(f"{name}:{count}" for name, count in record.breaches.items()),
        impossible=packed(record.impossible),
        **{name: count for name, count in record.counts.items() if not name.startswith(COUNT)},
    )
