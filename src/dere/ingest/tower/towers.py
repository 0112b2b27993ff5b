"""Every tower file of some folders, merged on one monthly axis: one processing per site, never spliced.

The newest processing of a site is taken whole (see ``choice``). LAI and EVI are satellite values that only the extract
brings; where wanted, they come from there whatever the processing of the fluxes.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from dere.config.towers import TowerSource
from dere.ingest.archives import TableFile, container, label
from dere.ingest.checks import check_sunlight
from dere.ingest.provenance import UNKNOWN, provenance_row
from dere.ingest.source import Product, Source
from dere.ingest.tower.choice import choose, merged_table, with_partitioning
from dere.ingest.tower.discovery import Found, recognise
from dere.ingest.tower.faults import SiteFault, fault_of, no_site_left, site_of, warn_dropped
from dere.ingest.tower.metadata import read_metadata
from dere.ingest.tower.placement import Metadata, SiteTable, describe_site
from dere.ingest.tower.plausibility import check_products, check_record
from dere.ingest.tower.record import NoTowers, SiteRecord
from dere.ingest.tower.site_citations import CITING, citation_of, cited
from dere.ingest.tower.tower_dataset import merge

log = logging.getLogger(__name__)

DROPPED = "dropped: "
"""Beginning of the role of a file whose site, or which itself, is not used; the reason follows."""


class Towers(NamedTuple):
    """Interim towers (see ``tower_dataset.merge``), one row per file read, and the table of ``choice``."""

    dataset: xr.Dataset
    provenance: pd.DataFrame
    merged: pd.DataFrame


def read_towers(
    folders: Sequence[Path],
    config: TowerSource,
    missing_coordinates: Literal["drop", "error"] = "drop",
    among: Sequence[Source] | None = None,
) -> Towers:
    """Read every tower file of ``folders``.

    Parameters
    ----------
    folders
        Product folders, searched with their sub-folders and zips; the format of each file follows from its name.
    config
        Which steps and variants to take, and whether satellites come from the extract.
    missing_coordinates
        Whether a site that no source places is dropped with a warning or ends the run.
    among
        Sources that may read the files; every one when None.

    Returns
    -------
    Towers
        Interim towers, provenance and the table of what was merged.

    Raises
    ------
    FileNotFoundError
        When a folder is missing.
    ValueError
        One sentence with file, column, value, expectation and remedy, where a fault concerns all sites or leaves none.
        A fault of one site costs that site: its sentence is a warning and its role in the provenance.
    """
    found = recognise(folders, config, among)
    read, no_towers, lost = _read(found, config)
    if not read and lost:
        warn_dropped({}, [fault for _, _, fault in lost], 0)
        raise ValueError(no_site_left([fault.sentence for _, _, fault in lost]))
    if not read:
        raise ValueError(
            f"{', '.join(map(str, folders))} hold site metadata but no tower file; add files of the FLUXNET "
            "family (..._MM_....csv), of the extract ({SITE}_MM.csv) or of another format in docs/data.md"
        )
    records = [record for _, record, _ in read]
    products = {product.key: product for _, _, product in read}
    chosen, doubled = _choose(records)
    stated, of_tables = read_metadata(found.metadata, chosen)
    tables = {kind: cited([table.rows for table in stated if table.role == kind]) for kind in CITING}
    of_files = [*(fault for _, _, fault in lost), *of_tables.values()]
    placed, dropped = _place(chosen, read, stated, doubled, of_files, missing_coordinates)
    extracts = {r.site: r for r in records if products[r.product].satellites}
    # the climate class is no part of the processing: where BIF has none, the extract's will do
    kept = {s: _with_climate(chosen[s], extracts.get(s)) for s in placed}
    dataset = merge(kept, placed, extracts if config.use_satellites else {})
    fallbacks = [record.site for record in kept.values() if record.counts.get("fallback")]
    if fallbacks:
        log.info("%d of %d sites use another variant than the wanted one: %s", len(fallbacks), len(kept), fallbacks)
    log.info(
        "%d files of towers (%d passed over), %d records, %d sites, %d placed, %d months with NEE",
        len(found.towers) + len(found.passed_over),
        len(found.passed_over),
        len(records),
        len(chosen),
        len(placed),
        int(np.isfinite(dataset["nee"].values).sum()),
    )
    rows = [
        _provenance(file, record, product, chosen, placed, dropped, config.use_satellites) | citation_of(record, tables)
        for file, record, product in read
    ]
    rows += [
        provenance_row(
            container(file), product, 0, file=label(file), role=f"{DROPPED}{fault.sentence}", site=fault.site
        )
        for file, product, fault in lost
    ]
    rows += [
        provenance_row(
            container(file),
            about.products[0],
            0,
            file=label(file),
            role=f"{DROPPED}{of_tables[file].sentence}" if file in of_tables else "metadata",
        )
        for about, file in found.metadata
    ]
    rows += [
        provenance_row(container(file), product, 0, file=label(file), role="passed over (no towers)")
        for file, product in no_towers.items()
    ]
    rows += [provenance_row(path, UNKNOWN, 0, role="ignored") for path in found.ignored]
    return Towers(dataset, pd.DataFrame(rows), merged_table(records, found.passed_over, chosen))


def _read(
    found: Found, config: TowerSource
) -> tuple[
    list[tuple[TableFile, SiteRecord, Product]], dict[TableFile, Product], list[tuple[TableFile, Product, SiteFault]]
]:
    """Records of every tower file with their products, the product of each file without towers, and faults of sites.

    Raises
    ------
    NoTowers
        When none of several tables has a tower.
    """
    read: list[tuple[TableFile, SiteRecord, Product]] = []
    without = dict(found.no_towers)
    reasons: list[NoTowers] = []
    lost: list[tuple[TableFile, Product, SiteFault]] = [
        (archive, UNKNOWN, fault) for archive, fault in found.damaged.items()
    ]
    for source, file in found.towers:
        given: list[SiteRecord | SiteFault] = []
        faults: list[SiteFault] = []
        with fault_of(site_of(file.name), faults):
            try:
                given = source.reader()(file, config)
            except NoTowers as reason:
                without[file] = source.product(reason.product)
                reasons.append(reason)
        # which of several products it is stands in what cannot be read
        product = source.products[0] if len(source.products) == 1 else UNKNOWN
        for part in (*given, *faults):
            if isinstance(part, SiteFault):
                lost.append((file, product, part))
            else:
                read.append((file, with_partitioning(part, config), source.product(part.product)))
    if reasons and not read and not lost:
        raise reasons[0]
    if without:
        names = ", ".join(label(file) for file in without)
        log.info("%d tables hold no towers and are passed over (%.200s)", len(without), names)
    return read, without, lost


def _choose(records: Sequence[SiteRecord]) -> tuple[dict[str, SiteRecord], dict[str, str]]:
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


def _with_climate(record: SiteRecord, extract: SiteRecord | None) -> SiteRecord:
    """Give the record the climate class of the extract where it has none of its own."""
    return record if record.koppen or extract is None else replace(record, koppen=extract.koppen)


def _place(
    chosen: Mapping[str, SiteRecord],
    read: Sequence[tuple[TableFile, SiteRecord, Product]],
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


def _provenance(
    file: TableFile,
    record: SiteRecord,
    product: Product,
    chosen: Mapping[str, SiteRecord],
    placed: Mapping[str, Metadata],
    dropped: Mapping[str, str],
    use_satellites: bool,
) -> dict[str, Any]:
    """Row of the provenance table of one tower file."""
    winner = chosen[record.site]
    role = "fluxes and drivers" if winner is record else f"superseded by {winner.source}"
    if record.site in dropped:
        role = f"{DROPPED}{dropped[record.site]}"
    elif use_satellites and product.satellites:
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
        coordinates_from=placed[record.site].origin if record.site in placed else "",
        variant=f"{record.variant} {record.partitioning}",
        breaches=" ".join(f"{name}:{count}" for name, count in record.breaches.items()),
        **record.counts,
    )
