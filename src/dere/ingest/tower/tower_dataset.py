"""Records of single sites on one monthly axis: the interim towers."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np
import xarray as xr

from dere.channels import HOURS
from dere.ingest.months import time_coordinates
from dere.ingest.possible import IMPOSSIBLE, packed
from dere.ingest.quantities import FURTHER, SHARES, quantity
from dere.ingest.tower.placement import Metadata
from dere.ingest.tower.record import DIURNAL_VARIABLES, RECORD_VARIABLES, SiteRecord
from dere.ingest.tower.variants import MEMBERS
from dere.variables import FLUX_UNIT, SATELLITE, VARIABLES

log = logging.getLogger(__name__)

MEMBER_VARIABLES = ("nee_member", "gpp_member")
UTC_OFFSET = "local standard time minus UTC, without daylight saving; NaN unknown"


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
        Records by site that LAI and EVI are taken from; empty = no satellites.

    Returns
    -------
    xarray.Dataset
        The interim towers: dims site, time; every name of ``RECORD_VARIABLES`` (NaN missing) and ``in_record``; where
        any record brings them, methane, shares of measured steps, diurnal cycles (site, time, hour) and percentile
        members (site, time, member). What no record brings has no variable. ``utc_offset`` is that of the record's own
        clock where its format knows it, else of ``metadata``; ``impossible`` says how many values of each variable were
        marks of missing values or impossible (see ``dere.ingest.possible.packed``).
    """
    sites = list(chosen)
    first = min(int(r.months[0]) for r in chosen.values())
    count = max(int(r.months[-1]) for r in chosen.values()) - first + 1
    brought = {name for record in chosen.values() for name in (*record.values, *record.diurnal, *record.members)}
    shapes: dict[str, tuple[int, ...]] = {name: () for name in RECORD_VARIABLES}
    for names, shape in (
        (SHARES, ()),
        (FURTHER, ()),
        (DIURNAL_VARIABLES, (HOURS,)),
        (MEMBER_VARIABLES, (len(MEMBERS),)),
    ):
        shapes |= {name: shape for name in names if name in brought}
    arrays = {name: np.full((len(sites), count, *shape), np.nan) for name, shape in shapes.items()}
    in_record = np.zeros((len(sites), count), dtype=bool)
    for row, (site, record) in enumerate(chosen.items()):
        at = record.months - first
        in_record[row, at] = True
        given = record.values | record.diurnal | record.members
        for name in arrays:
            if name not in SATELLITE:
                arrays[name][row, at] = given.get(name, np.nan)
        if site in satellites:
            seen = satellites[site].months - first
            inside = (seen >= 0) & (seen < count)
            for name in SATELLITE:
                arrays[name][row, seen[inside]] = satellites[site].values[name][inside]
    return xr.Dataset(
        {
            **{name: (_dims(name), values, _attrs(name)) for name, values in arrays.items()},
            "in_record": (("site", "time"), in_record, {"long_name": "the month is a row of the site's file"}),
        },
        coords={
            "site": np.array(sites, dtype=object),
            **time_coordinates(first, count),
            "lat": ("site", [metadata[s].lat for s in sites], {"units": "degrees_north", "standard_name": "latitude"}),
            "lon": ("site", [metadata[s].lon for s in sites], {"units": "degrees_east", "standard_name": "longitude"}),
            "elevation": ("site", [metadata[s].elevation for s in sites], {"units": "m"}),
            "utc_offset": ("site", _utc_offsets(chosen, metadata), {"units": "h", "long_name": UTC_OFFSET}),
            **({"member": list(MEMBERS)} if any(name in arrays for name in MEMBER_VARIABLES) else {}),
            **{
                name: ("site", np.array(texts, dtype=object))
                for name, texts in {
                    "igbp": [metadata[s].igbp for s in sites],
                    "koppen": [metadata[s].koppen or chosen[s].koppen for s in sites],
                    "network": [r.network for r in chosen.values()],
                    "source": [r.source for r in chosen.values()],
                    "processing": [r.processing for r in chosen.values()],
                    "variant": [r.variant for r in chosen.values()],
                    "partitioning": [r.partitioning for r in chosen.values()],
                    IMPOSSIBLE: [packed(r.impossible) for r in chosen.values()],
                }.items()
            },
        },
    )


def _utc_offsets(chosen: Mapping[str, SiteRecord], metadata: Mapping[str, Metadata]) -> list[float]:
    """Hours ahead of UTC by site; a record's own clock comes first, because its diurnal cycles are on it."""
    offsets, differ = [], []
    for site, record in chosen.items():
        stated = metadata[site].utc_offset
        own = record.utc_offset
        offsets.append(own if np.isfinite(own) else stated)
        if np.isfinite(own) and np.isfinite(stated) and own != stated:
            differ.append(f"{site} {own:g} h, not {stated:g} h")
    if differ:
        log.warning(
            "%d sites keep the clock of their own file, which differs from the stated UTC offset (%s)",
            len(differ),
            ", ".join(differ[:5]),
        )
    return offsets


def _dims(name: str) -> tuple[str, ...]:
    """Dimensions of an interim tower variable."""
    last = ("hour",) if name in DIURNAL_VARIABLES else ("member",) if name in MEMBER_VARIABLES else ()
    return ("site", "time", *last)


def _attrs(name: str) -> dict[str, str]:
    """NetCDF attributes of an interim tower variable."""
    if name.endswith("_quality"):
        return {"long_name": "share of measured or well-filled data", "units": "1"}
    if name in SHARES:
        return {"long_name": SHARES[name], "units": "1"}
    if name in DIURNAL_VARIABLES:
        text = f"mean diurnal cycle of {name.removesuffix('_hourly').replace('_', ' ')}, hours of local standard time"
        return {"long_name": text, "units": DIURNAL_VARIABLES[name]}
    if name in MEMBER_VARIABLES:
        text = f"percentiles of {name.removesuffix('_member').upper()} over friction-velocity thresholds"
        return {"long_name": text, "units": FLUX_UNIT}
    attrs = VARIABLES[quantity(name)].attrs
    if name.endswith("_uncertainty"):
        return {"long_name": name.replace("_", " "), "units": attrs["units"]}
    return {**attrs, "long_name": f"{attrs['long_name']} ({name})"}
