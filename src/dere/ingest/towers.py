"""Every tower file of some folders, merged on one monthly axis: one processing per site, never spliced.

The newest processing of a site is taken whole: shuttle over ICOS ETC over AmeriFlux over ICOS Warm Winter over
FLUXNET2015 over its extract; within a product the higher version, then FULLSET over SUBSET. LAI and EVI are satellite
values that only the extract brings; where wanted, they come from there whatever the processing of the fluxes.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from dere.config.sources import TowerSource
from dere.ingest.archives import TableFile, container, label
from dere.ingest.bif import METADATA_COLUMNS
from dere.ingest.checks import check_sunlight
from dere.ingest.discovery import recognise
from dere.ingest.months import time_coordinates
from dere.ingest.placement import Metadata, describe_site
from dere.ingest.provenance import provenance_row
from dere.ingest.record import RECORD_VARIABLES, SiteRecord
from dere.variables import SATELLITE, VARIABLES

log = logging.getLogger(__name__)


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
    return dict(sorted(chosen.items()))


def merge(
    chosen: Mapping[str, SiteRecord], metadata: Mapping[str, Metadata], satellites: Mapping[str, SiteRecord]
) -> xr.Dataset:
    """Put records on one monthly axis.

    Parameters
    ----------
    chosen
        Record by site.
    metadata
        Coordinates by site; same keys.
    satellites
        Records of the extract by site, for LAI, EVI and climate class; empty = no satellites.

    Returns
    -------
    xarray.Dataset
        The interim towers: dims site, time; every name of ``RECORD_VARIABLES`` (NaN missing) and ``in_record``.
    """
    sites = list(chosen)
    first = min(int(r.months[0]) for r in chosen.values())
    count = max(int(r.months[-1]) for r in chosen.values()) - first + 1
    arrays = {name: np.full((len(sites), count), np.nan) for name in RECORD_VARIABLES}
    in_record = np.zeros((len(sites), count), dtype=bool)
    for row, (site, record) in enumerate(chosen.items()):
        at = record.months - first
        in_record[row, at] = True
        for name in RECORD_VARIABLES:
            if name not in SATELLITE:
                arrays[name][row, at] = record.values.get(name, np.nan)
        if site in satellites:
            seen = satellites[site].months - first
            inside = (seen >= 0) & (seen < count)
            for name in SATELLITE:
                arrays[name][row, seen[inside]] = satellites[site].values[name][inside]
    return xr.Dataset(
        {
            **{name: (("site", "time"), values, _attrs(name)) for name, values in arrays.items()},
            "in_record": (("site", "time"), in_record, {"long_name": "the month is a row of the site's file"}),
        },
        coords={
            "site": np.array(sites, dtype=object),
            **time_coordinates(first, count),
            "lat": ("site", [metadata[s].lat for s in sites], {"units": "degrees_north", "standard_name": "latitude"}),
            "lon": ("site", [metadata[s].lon for s in sites], {"units": "degrees_east", "standard_name": "longitude"}),
            "elevation": ("site", [metadata[s].elevation for s in sites], {"units": "m"}),
            **{
                name: ("site", np.array(texts, dtype=object))
                for name, texts in {
                    "igbp": [metadata[s].igbp for s in sites],
                    "koppen": [r.koppen for r in chosen.values()],
                    "network": [r.network for r in chosen.values()],
                    "source": [r.source for r in chosen.values()],
                    "processing": [r.processing for r in chosen.values()],
                }.items()
            },
        },
    )


_LABELS = {
    "nee": "nee", "gpp_nt": "gpp", "gpp_dt": "gpp", "reco_nt": "reco", "reco_dt": "reco",
    "nee_joint_uncertainty": "nee", "nee_random_uncertainty": "nee",
}  # fmt: skip


def _attrs(name: str) -> dict[str, str]:
    """NetCDF attributes of an interim tower variable."""
    if name.endswith("_quality"):
        return {"long_name": "share of measured or well-filled data", "units": "1"}
    base = _LABELS.get(name, name.removesuffix("_reanalysis"))
    attrs = VARIABLES[base].attrs
    if name.endswith("_uncertainty"):
        return {"long_name": name.replace("_", " "), "units": attrs["units"]}
    return {**attrs, "long_name": f"{attrs['long_name']} ({name})"}


def read_towers(
    folders: Sequence[Path], config: TowerSource, missing_coordinates: Literal["drop", "error"] = "drop"
) -> tuple[xr.Dataset, pd.DataFrame]:
    """Read every tower file of ``folders``.

    Parameters
    ----------
    folders
        Product folders, searched with their sub-folders and zips; the format of each file follows from its name.
    config
        Which steps and variants to take, and whether satellites come from the extract.
    missing_coordinates
        Whether a site that no source places is dropped with a warning or ends the run.

    Returns
    -------
    tuple
        Interim towers (see :func:`merge`) and the provenance table, one row per file.

    Raises
    ------
    FileNotFoundError
        When a folder is missing.
    ValueError
        One sentence with file, column, value, expectation and remedy, for anything wrong in a file.
    """
    found = recognise(folders, config)
    read = [(file, record) for form, file in found.towers for record in form.read(file, config)]
    if not read:
        raise ValueError(
            f"{', '.join(map(str, folders))} hold site metadata but no tower file; add files of the FLUXNET "
            "family (..._MM_....csv), of the extract ({SITE}_MM.csv) or of another format in docs/data.md"
        )
    tables = {
        kind: _stack([about.read(file) for about, file in found.metadata if about.kind == kind])
        for kind in ("bif", "sites")
    }
    records = [record for _, record in read]
    chosen = choose(records)
    placed = _place(chosen, records, tables["bif"], tables["sites"], missing_coordinates)
    extracts = {r.site: r for r in records if r.product == "fluxnet2015-extract"}
    # the climate class is no part of the processing, and only the extract states it
    kept = {s: replace(chosen[s], koppen=extracts[s].koppen if s in extracts else "") for s in placed}
    dataset = merge(kept, placed, extracts if config.use_satellites else {})
    rows = [_provenance(file, record, chosen, placed, config.use_satellites) for file, record in read]
    rows += [
        provenance_row(container(file), about.kind, 0, file=label(file), role="metadata")
        for about, file in found.metadata
    ]
    rows += [provenance_row(path, "unknown", 0, role="ignored") for path in found.ignored]
    return dataset, pd.DataFrame(rows)


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
    """Metadata of every site that has coordinates, checked against its sunlight."""
    by_site: dict[str, list[SiteRecord]] = {}
    for record in records:
        by_site.setdefault(record.site, []).append(record)
    placed: dict[str, Metadata] = {}
    for site, record in chosen.items():
        about = describe_site(site, by_site[site], badm, tables)
        if about is not None:
            what = f"{record.source}: site {site} (coordinates from {about.origin})"
            check_sunlight(about.lat, record.values["shortwave"], record.months, what)
            placed[site] = about
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
    chosen: Mapping[str, SiteRecord],
    placed: Mapping[str, Metadata],
    use_satellites: bool,
) -> dict[str, Any]:
    """Row of the provenance table of one tower file."""
    winner = chosen[record.site]
    role = "fluxes and drivers" if winner is record else f"superseded by {winner.source}"
    if record.site not in placed:
        role = "dropped: no coordinates"
    elif use_satellites and record.product == "fluxnet2015-extract":
        role = "fluxes, drivers, satellites" if winner is record else f"satellites only; {role}"
    first, last = int(record.months[0]), int(record.months[-1])
    return provenance_row(
        container(file),
        record.product,
        len(record.months),
        file=label(file),
        role=role,
        site=record.site,
        processing=record.processing,
        first_month=f"{first // 12}-{first % 12 + 1:02d}",
        last_month=f"{last // 12}-{last % 12 + 1:02d}",
        nee_months=int(np.isfinite(record.values["nee"]).sum()),
        coordinates_from=placed[record.site].origin if record.site in placed else "",
        breaches=" ".join(f"{name}:{count}" for name, count in record.breaches.items()),
        **record.counts,
    )
