"""Every tower file of some folders, merged on one monthly axis: one processing per site, never spliced.

The newest processing of a site is taken whole (see ``choice``), and two codes of one tower are one site (see
``twins``). LAI and EVI are satellite values that only the extract brings; where wanted, they come from there whatever
the processing of the fluxes.
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
from dere.ingest.accounts import Account
from dere.ingest.archives import TableFile, container, label
from dere.ingest.checks import check_sunlight
from dere.ingest.possible import COUNT, packed
from dere.ingest.provenance import UNKNOWN, provenance_row
from dere.ingest.source import Product, Source
from dere.ingest.tower.bif import METADATA_COLUMNS
from dere.ingest.tower.choice import choose, merged_table, with_partitioning
from dere.ingest.tower.discovery import Found, recognise
from dere.ingest.tower.placement import Metadata, describe_site
from dere.ingest.tower.plausibility import check_products, check_record
from dere.ingest.tower.record import NoTowers, SiteRecord, possible_months
from dere.ingest.tower.site_citations import CITING, citation_of
from dere.ingest.tower.site_ids import OTHER_CODES
from dere.ingest.tower.tower_accounts import account_for
from dere.ingest.tower.tower_dataset import merge
from dere.ingest.tower.twins import find_twins, joined

log = logging.getLogger(__name__)


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
    """Read every tower file of ``folders``; as :func:`read_and_account`, which explains it, without the accounts."""
    return read_and_account(folders, config, missing_coordinates, among)[0]


def read_and_account(
    folders: Sequence[Path],
    config: TowerSource,
    missing_coordinates: Literal["drop", "error"] = "drop",
    among: Sequence[Source] | None = None,
) -> tuple[Towers, list[Account]]:
    """Read every tower file of ``folders``, and say what became of each file there.

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
    tuple
        Interim towers, provenance and the table of what was merged; an account of every file and archive member.

    Raises
    ------
    FileNotFoundError
        When a folder is missing.
    ValueError
        One sentence with file, column, value, expectation and remedy, for anything wrong in a file.
    """
    found = recognise(folders, config, among)
    read, no_towers = _read(found, config)
    accounts = account_for(found, read, no_towers)
    if not read:
        raise ValueError(
            f"{', '.join(map(str, folders))} hold site metadata but no tower file; add files of the FLUXNET "
            "family (..._MM_....csv), of the extract ({SITE}_MM.csv) or of another format in docs/data.md"
        )
    stated = [(about.role, about.reader()(file)) for about, file in found.metadata]
    tables = {kind: _stack([table for of, table in stated if of == kind]) for kind in CITING}
    places = _stack([table for of, table in stated if of in ("listing", "sites")])
    records = [record for _, record, _ in read]
    products = {product.key: product for _, _, product in read}
    chosen = choose(records)
    placed = _place(chosen, records, tables["bif"], places, missing_coordinates)
    twins = find_twins(records, chosen, placed)
    read = [(file, twins.under_kept_code(record), product) for file, record, product in read]
    records = [record for _, record, _ in read]
    chosen = {site: record for site, record in chosen.items() if site not in twins.kept}
    placed = {site: joined(site, placed, twins) for site in placed if site not in twins.kept}
    # an extract under the code that is kept comes last, so it counts where both codes have one
    extracts = {r.site: r for r in sorted(records, key=lambda r: not r.code) if products[r.product].satellites}
    # the climate class is no part of the processing: where BIF has none, the extract's will do
    kept = {s: _with_climate(chosen[s], extracts.get(s)) for s in placed}
    dataset = merge(kept, placed, extracts if config.use_satellites else {})
    if twins.kept:
        dataset = dataset.assign_coords({OTHER_CODES: ("site", [" ".join(twins.others(site)) for site in kept])})
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
        _provenance(file, record, product, chosen, placed, config.use_satellites)
        | citation_of(record, tables, twins.codes(record))
        for file, record, product in read
    ]
    rows += [
        provenance_row(container(file), about.products[0], 0, file=label(file), role="metadata")
        for about, file in found.metadata
    ]
    rows += [
        provenance_row(container(file), product, 0, file=label(file), role="passed over (no towers)")
        for file, product in no_towers.items()
    ]
    rows += [
        provenance_row(
            container(file), product, 0, file=label(file), role=f"read with {record.source}", site=record.site
        )
        for _, record, product in read
        for file in record.joined
    ]
    rows += [provenance_row(container(file), UNKNOWN, 0, file=label(file), role="ignored") for file in found.ignored]
    return Towers(dataset, pd.DataFrame(rows), merged_table(records, found.passed_over, chosen, twins)), accounts


def _read(
    found: Found, config: TowerSource
) -> tuple[list[tuple[TableFile, SiteRecord, Product]], dict[TableFile, Product]]:
    """Records of every tower file with their products, and the product of each file that holds no towers.

    Raises
    ------
    NoTowers
        When none of several tables has a tower.
    """
    read: list[tuple[TableFile, SiteRecord, Product]] = []
    without = dict(found.no_towers)
    reasons: list[NoTowers] = []
    for source, file in found.towers:
        try:
            joined = found.joined.get(file, ())
            records = [replace(record, joined=joined) for record in source.reader()(file, config, *joined)]
        except NoTowers as reason:
            without[file] = source.product(reason.product)
            reasons.append(reason)
            continue
        records = [with_partitioning(possible_months(record), config) for record in records]
        read += [(file, record, source.product(record.product)) for record in records]
    if reasons and not read:
        raise reasons[0]
    if without:
        names = ", ".join(label(file) for file in without)
        log.info("%d tables hold no towers and are passed over (%.200s)", len(without), names)
    return read, without


def _with_climate(record: SiteRecord, extract: SiteRecord | None) -> SiteRecord:
    """Give the record the climate class of the extract where it has none of its own."""
    return record if record.koppen or extract is None else replace(record, koppen=extract.koppen)


def _stack(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Site tables below each other; a site's first statement counts."""
    if not tables:
        return pd.DataFrame(columns=list(METADATA_COLUMNS))
    stacked = pd.concat(tables)
    return stacked[~stacked.index.duplicated()]


def _place(
    chosen: Mapping[str, SiteRecord],
    records: Sequence[SiteRecord],
    badm: pd.DataFrame,
    tables: pd.DataFrame,
    missing_coordinates: str,
) -> dict[str, Metadata]:
    """Metadata of every site that has coordinates, checked against its sunlight, its units against all sites."""
    by_site: dict[str, list[SiteRecord]] = {}
    for record in records:
        by_site.setdefault(record.site, []).append(record)
    placed: dict[str, Metadata] = {}
    for site, record in chosen.items():
        about = describe_site(site, by_site[site], badm, tables)
        if about is not None:
            what = f"{record.source}: site {site} (coordinates from {about.origin})"
            check_sunlight(about.lat, record.values["shortwave"], record.months, what)
            check_record(record, about.lat)
            placed[site] = about
    check_products([chosen[site] for site in placed])
    dropped = [site for site in chosen if site not in placed]
    if dropped:
        sentence = (
            f"{len(dropped)} of {len(chosen)} sites have no coordinates in a BIF table, their own file or a table of "
            f"sites ({', '.join(dropped[:5])}); add a sites.csv with columns site, lat, lon, igbp to a tower folder"
        )
        if missing_coordinates == "error" or not placed:
            raise ValueError(sentence)
        log.warning("%s; they are dropped", sentence)
    return placed


def _provenance(
    file: TableFile,
    record: SiteRecord,
    product: Product,
    chosen: Mapping[str, SiteRecord],
    placed: Mapping[str, Metadata],
    use_satellites: bool,
) -> dict[str, Any]:
    """Row of the provenance table of one tower file."""
    winner = chosen[record.site]
    role = "fluxes and drivers" if winner is record else f"superseded by {winner.source}"
    role += f" ({record.code} is {record.site})" if record.code else ""
    if record.site not in placed:
        role = "dropped: no coordinates"
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
        impossible=packed(record.impossible),
        **{name: count for name, count in record.counts.items() if not name.startswith(COUNT)},
    )
