"""Every tower file of some folders, merged on one monthly axis: one processing per site, never spliced.

The newest processing of a site is taken whole (see ``choice``), and so is that of a tower with several codes (see
``twins``). LAI and EVI are satellite values that few files bring; where wanted, they come from the extract,
whatever the processing of the fluxes, else from the site's own file.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from dere.config.towers import TowerSource
from dere.ingest.accounts import Account
from dere.ingest.source import Source
from dere.ingest.tower.choice import merged_table
from dere.ingest.tower.discovery import recognise
from dere.ingest.tower.faults import no_site_left, warn_dropped
from dere.ingest.tower.file_records import read_files
from dere.ingest.tower.metadata import read_metadata
from dere.ingest.tower.placing import choose_each, place
from dere.ingest.tower.record import SiteRecord
from dere.ingest.tower.site_citations import CITING, cited
from dere.ingest.tower.site_ids import OTHER_CODES
from dere.ingest.tower.tower_accounts import account_for
from dere.ingest.tower.tower_dataset import merge
from dere.ingest.tower.tower_provenance import Outcome, provenance
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
        Which steps and variants to take, and whether satellites are wanted.
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
        One sentence with file, column, value, expectation and remedy, where a fault concerns all sites or leaves none.
        A fault of one site costs that site: its sentence is a warning and its role in the provenance.
    """
    found = recognise(folders, config, among)
    given = read_files(found, config)
    accounts = account_for(found, given)
    read = given.records
    if not read and given.faults:
        faults = [fault for _, _, fault in given.faults]
        warn_dropped({}, faults, 0)
        raise ValueError(no_site_left([fault.sentence for fault in faults]))
    if not read:
        raise ValueError(
            f"{', '.join(map(str, folders))} hold site metadata but no tower file; add files of the FLUXNET "
            "family (..._MM_....csv), of the extract ({SITE}_MM.csv) or of another format in docs/data.md"
        )
    chosen, doubled = choose_each([record for _, record, _ in read])
    stated, of_tables = read_metadata(found.metadata, chosen)
    tables = {kind: cited([table.rows for table in stated if table.role == kind]) for kind in CITING}
    of_files = [*(fault for _, _, fault in given.faults), *of_tables.values()]
    placed, dropped = place(chosen, read, stated, doubled, of_files, missing_coordinates)
    twins = find_twins([record for _, record, _ in read], chosen, placed)
    read = [(file, twins.under_kept_code(record), product) for file, record, product in read]
    chosen = {site: record for site, record in chosen.items() if site not in twins.kept}
    placed = {site: joined(site, placed, twins) for site in placed if site not in twins.kept}
    # an extract under the code that is kept comes last, so it counts where both codes have one
    of_extracts = sorted((record for _, record, product in read if product.satellites), key=lambda r: not r.code)
    extracts = {record.site: record for record in of_extracts}
    # the climate class is no part of the processing: where BIF has none, the extract's will do
    kept = {s: _with_climate(chosen[s], extracts.get(s)) for s in placed}
    seeing = {site: record for site, record in kept.items() if record.has_satellites} | extracts
    dataset = merge(kept, placed, seeing if config.use_satellites else {})
    if twins.kept:
        dataset = dataset.assign_coords({OTHER_CODES: ("site", [" ".join(twins.others(site)) for site in kept])})
    _log(kept, len(found.towers), len(found.passed_over), len(read), len(chosen), dataset)
    outcome = Outcome(chosen, placed, dropped, twins, config.use_satellites)
    rows = provenance(found, read, given, of_tables, outcome, tables)
    merged = merged_table([record for _, record, _ in read], found.passed_over, chosen, twins)
    return Towers(dataset, rows, merged), accounts


def _with_climate(record: SiteRecord, extract: SiteRecord | None) -> SiteRecord:
    """Give the record the climate class of the extract where it has none of its own."""
    return record if record.koppen or extract is None else replace(record, koppen=extract.koppen)


def _log(
    kept: Mapping[str, SiteRecord], files: int, passed_over: int, records: int, sites: int, dataset: xr.Dataset
) -> None:
    """Say how much was read, and which sites use another variant than the wanted one."""
    fallbacks = [record.site for record in kept.values() if record.counts.get("fallback")]
    if fallbacks:
        log.info("%d of %d sites use another variant than the wanted one: %s", len(fallbacks), len(kept), fallbacks)
    log.info(
        "%d files of towers (%d passed over), %d records, %d sites, %d placed, %d months with NEE",
        files + passed_over,
        passed_over,
        records,
        sites,
        len(kept),
        int(np.isfinite(dataset["nee"].values).sum()),
    )
