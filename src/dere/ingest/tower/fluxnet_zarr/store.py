"""FLUXNET2015 half-hourly as one Zarr store: NEE, GPP, temperature, shortwave and VPD per site.

The store (github.com/EXCITED-CO2/zarr-fluxnet2015, CC-BY-4.0) is Zarr v2: dimensions site and time, one chunk per
site, uint16 with scale and offset, 65535 missing, times in UTC at the **end** of each half hour. A copy may hold the
chunks of some sites only; the others read as missing and are counted.

**Local time.** Records begin at midnight of a 1 January in local standard time, so the first value of a site tells its
offset from UTC. With it, monthly temperature, shortwave and VPD equal the monthly product to its last digit; with an
offset wrong by one hour temperature is off by up to 0.03 degC. The record carries the offset: its diurnal cycles are on
that clock whatever a table of sites says, also where it is only the nearest hour of solar time.

**What equals what.** The store has the REF members. ONEFlux chooses REF for each resolution by itself, so monthly means
of half-hourly NEE_VUT_REF differ from the monthly NEE_VUT_REF (by 0.09 gC m-2 d-1 at most at US-AR1). Where the chosen
member is the same, as for daily GPP_DT_VUT_REF of US-AR1, the product's daily values are the mean times 12.011e-6 x
86400 to five digits.

There is no RECO, and of the drivers only three.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.config.towers import TowerSource
from dere.ingest.possible import COUNT
from dere.ingest.tower.canonical import canonical
from dere.ingest.tower.diurnal import diurnal_cycles
from dere.ingest.tower.faults import SiteFault, each_site
from dere.ingest.tower.fluxnet_columns import STEMS
from dere.ingest.tower.fluxnet_zarr import DRIVERS, FLUXES, PRODUCT
from dere.ingest.tower.fluxnet_zarr.arrays import COLUMNS, QUALITY, Store
from dere.ingest.tower.partial_record import Origin, in_record, monthly_columns, partial_record, warn_counts
from dere.ingest.tower.record import SiteRecord
from dere.ingest.tower.site_ids import SITE
from dere.ingest.tower.stamps import steps_of

log = logging.getLogger(__name__)

# a column of the half-hourly product, for the shared diurnal cycles
_FLUXNET_NAMES = {column.variable: f"{STEMS[column.variable]}_F" for column in DRIVERS}
_STEP = np.timedelta64(30, "m")
_PER_DAY = 48
_FARTHEST_ZONE_HOURS = 14
_GOOD_QUALITY = 1
_POOREST_QUALITY = 3
# chosen by people, not by the clock: quarters of an hour exist (Nepal), smaller ones do not
_ZONE_MINUTES = 15


def local_offset(first_end: np.datetime64, longitude: float) -> tuple[int, bool]:
    """Minutes by which local standard time is ahead of UTC.

    Parameters
    ----------
    first_end
        End of the record's first half hour in UTC.
    longitude
        Degrees east.

    Returns
    -------
    tuple
        The offset, and whether it follows from the record's beginning at a local midnight of 1 January; otherwise it is
        the nearest whole hour of solar time.
    """
    begin = first_end - _STEP
    year = begin.astype("datetime64[Y]")
    for candidate in (year, year + 1):
        minutes = int((candidate.astype("datetime64[m]") - begin).astype(np.int64))
        if abs(minutes) <= _FARTHEST_ZONE_HOURS * 60 and minutes % _ZONE_MINUTES == 0:
            return minutes, True
    return round(longitude / 15) * 60, False


def parse_site(
    values: dict[str, NDArray[np.float64]],
    ends: NDArray[np.datetime64],
    site: str,
    place: tuple[float, float],
    source: str,
    config: TowerSource,
    counts: Mapping[str, int] | None = None,
) -> SiteRecord | None:
    """Record of monthly means of one site.

    Parameters
    ----------
    values
        Fluxes in gC m-2 d-1, drivers in canonical units and half-hourly quality 0 to 3 under the names of a record,
        shape (step,), NaN missing.
    ends
        Ends of the half hours in UTC, datetime64[m], shape (step,).
    site, place
        FLUXNET id; latitude and longitude.
    source
        Store for messages.
    config
        Minimum coverage, diurnal cycles, whose partitioning becomes the label.
    counts
        Oddities counted so far.

    Returns
    -------
    SiteRecord or None
        None where no month has enough half hours of a flux.
    """
    present = np.flatnonzero(np.any([np.isfinite(column) for column in values.values()], axis=0))
    chosen = slice(present[0], present[-1] + 1)
    offset, certain = local_offset(ends[present[0]], place[1])
    counts = {**(counts or {}), "offset_by_longitude": int(not certain)}
    steps = steps_of(ends[chosen] - _STEP + np.timedelta64(offset, "m"), _PER_DAY, source, "time")
    columns = {}
    for name, column in values.items():
        inside = column[chosen]
        good = np.where(np.isfinite(inside), np.round(inside) <= _GOOD_QUALITY, np.nan)
        columns[name] = good if name in QUALITY else inside
    quality = values["nee_quality"][chosen]
    columns["nee_measured_share"] = np.where(np.isfinite(quality), np.round(quality) == 0, np.nan)
    months, means = monthly_columns(steps, columns, config.minimum_coverage, (*QUALITY, "nee_measured_share"))
    kept, means = in_record(months, means)
    if not len(kept):
        return None
    diurnal = {}
    if config.diurnal_cycles:
        table = pd.DataFrame({column: columns[name] for name, column in _FLUXNET_NAMES.items()})
        cycles = diurnal_cycles(table, steps, config.minimum_coverage, source)
        diurnal = {name: cycle[np.isin(months, kept)] for name, cycle in cycles.items() if np.isfinite(cycle).any()}
    warn_counts(counts, f"{source} site {site}")
    origin = Origin(PRODUCT, "FLUXNET2015 half-hourly Zarr", "fluxnet", source)
    return partial_record(site, kept, means, origin, (*place, ""), counts, config, diurnal, offset / 60)


def read_fluxnet_zarr(path: Path, config: TowerSource) -> list[SiteRecord | SiteFault]:
    """Read every site of the store that has data, none where half hours are not to be read; a bad site is a fault.

    Raises
    ------
    FileNotFoundError
        When the folder is missing.
    ValueError
        When the store is incomplete, or a site, unit or time cannot be right.
    """
    if "HH" not in config.resolution:
        return []
    store = Store(Path(path))
    sites = [str(site) for site in store.read("site")]
    odd = [site for site in sites if not re.fullmatch(SITE, site)]
    if odd:
        raise ValueError(
            f"{store.source}: array site holds {odd[0]!r:.40}, but ids like FI-Hyy are expected; a chunk is damaged: "
            "download the store again"
        )
    ends = store.times()
    lat, lon = store.unpacked("latitude"), store.unpacked("longitude")
    # sites without a chunk read as the fill value throughout
    full = [site for index, site in enumerate(sites) if np.isfinite(store.unpacked(FLUXES[0].name, index)).any()]

    def read(site: str) -> list[SiteRecord]:
        index = sites.index(site)
        counts: dict[str, int] = {}
        values = _site_values(store, index, f"{store.source} site {site}", counts)
        if not any(np.isfinite(column).any() for column in values.values()):
            return []
        place = (float(lat[index]), float(lon[index]))
        record = parse_site(values, ends, site, place, store.source, config, counts)
        return [] if record is None else [record]

    records = each_site(full, read)
    empty = len(sites) - len(full)
    log.info("%s: %d of %d sites have data, %d are empty", store.source, len(records), len(sites), empty)
    if not records:
        raise ValueError(
            f"{store.source} holds no flux of any of its {len(sites)} sites; the chunks are missing: download the "
            "store again"
        )
    return records


def _site_values(store: Store, index: int, source: str, counts: dict[str, int]) -> dict[str, NDArray[np.float64]]:
    """Half-hourly values of one site under the names of a record; ``counts`` takes what was no value."""
    # the store states its units itself
    stated = [replace(column, unit=store.unit(column.name)) for column in COLUMNS]
    table = pd.DataFrame({column.name: store.unpacked(column.name, index) for column in COLUMNS})
    values = canonical(table, stated, source, counts, _PER_DAY)
    for name, array in QUALITY.items():
        codes = store.unpacked(array, index)
        odd = (codes < -0.5) | (codes > _POOREST_QUALITY + 0.5)
        if odd.any():
            log.warning(
                "%s: %d of %d values of %s are no quality of 0 to %d and count as missing",
                source, odd.sum(), np.isfinite(codes).sum(), array, _POOREST_QUALITY,
            )  # fmt: skip
            counts[f"{COUNT}{name}"] = int(odd.sum())
        values[name] = np.where(odd, np.nan, codes)
    return values
