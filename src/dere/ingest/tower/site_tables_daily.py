"""Daily tables of single studies: six North American forests, and the FluxCourse sites.

**Six forests** (Teets et al. 2022, JGR Biogeosciences): one csv of daily NEE, GPP and RECO (gC m-2 d-1) at three
friction-velocity thresholds, REddyProc processing, RECO = NEE + GPP exactly; site ids have a dot. Night-time
partitioning; the median threshold U50 is taken. Quality is not stated, so its months never train.

**FluxCourse** (``obs_{SITE}_daily.csv``): NEE_VUT_REF, GPP_NT_VUT_REF, RECO_NT_VUT_REF of the FLUXNET shuttle product
(ONEFlux v1.3). The columns say gC m-2 d-1, but the compiler multiplied values that already were gC m-2 d-1 by 1.0368
(12e-6 x 86400): divided by it, every value has at most the six significant digits that ONEFlux writes, undivided only
one in five hundred has; and US-MMS is 1.037 times its FLUXNET2015 daily file. The factor is found in the digits and
undone, so that a corrected copy is read as it is. Quality is not stated either.
"""

from __future__ import annotations

import logging
import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.config.towers import TowerSource
from dere.ingest.archives import TableFile, label
from dere.ingest.tables import numeric, read_table, require_columns
from dere.ingest.tower.partial_record import (
    Origin,
    bounded_flux,
    in_record,
    monthly_columns,
    partial_record,
    warn_counts,
)
from dere.ingest.tower.record import SiteRecord
from dere.ingest.tower.stamps import steps_of, text_times, year_day_times
from dere.ingest.tower.steps import Steps

log = logging.getLogger(__name__)

SIX_FORESTS = re.compile(r"daily_carbon_uptake\.csv(\.gz)?")
FLUXCOURSE = re.compile(r"obs_(?P<site>[A-Z]{2}-[A-Za-z0-9]{3})_daily\.csv(\.gz)?")
_FORESTS = {"nee": "NEE_U50", "gpp_nt": "GPP_U50", "reco_nt": "Reco_U50"}
_COURSE = {"nee": "NEE_gC_m2_day", "gpp_nt": "GPP_gC_m2_day", "reco_nt": "RECO_gC_m2_day"}
_WRONG_FACTOR = 12e-6 * 86400
_DIGITS = 6
# 1 of 500 values has six digits by chance; a file of one kind or the other has none or all
_CERTAIN = 0.9
_SITE_WITH_DOT = re.compile(r"[A-Z]{2}[.-][A-Za-z0-9]{3}")


def parse_six_forests(table: pd.DataFrame, source: str, config: TowerSource) -> list[SiteRecord]:
    """One record per site of the six-forests table.

    Raises
    ------
    ValueError
        Missing columns, a site without two letters and three characters, a day that the year does not have, disordered
        or doubled days, text in a number column, a unit that cannot be right.
    """
    require_columns(table, ["site", "year", "doy", *_FORESTS.values()], source)
    records = []
    for site, rows in table.groupby("site", sort=True):
        name = str(site)
        if not _SITE_WITH_DOT.fullmatch(name):
            raise ValueError(f"{source} has site '{name:.40}', but ids like US.Bar are expected; correct the column")
        rows = rows.reset_index(drop=True)
        where = f"{source} site {name}"
        times = year_day_times(numeric(rows, "year", where), numeric(rows, "doy", where), where, "doy")
        origin = Origin("six-forests", "six forests, REddyProc U50", "six-forests", source)
        records += _record(name.replace(".", "-"), steps_of(times, 1, where, "doy"), rows, _FORESTS, origin, config, {})
    return records


def parse_fluxcourse(table: pd.DataFrame, site: str, source: str, config: TowerSource) -> list[SiteRecord]:
    """Record of a FluxCourse table.

    Raises
    ------
    ValueError
        Missing columns, a date not written YYYY-MM-DD, disordered or doubled days, text in a number column, a unit that
        cannot be right.
    """
    require_columns(table, ["date", *_COURSE.values()], source)
    times = text_times(table["date"], "%Y-%m-%d", source, "date")
    steps = steps_of(times, 1, source, "date")
    table, counts = table.copy(), {"values_scaled_twice": 0}
    for column in _COURSE.values():
        values = numeric(table, column, source)
        if scaled_twice(values):
            table[column] = values / _WRONG_FACTOR
            counts["values_scaled_twice"] += int(np.isfinite(values).sum())
    if counts["values_scaled_twice"]:
        log.warning("%s: fluxes are %.4f times gC m-2 d-1 and are divided by it", source, _WRONG_FACTOR)
    origin = Origin("fluxcourse-sites", "FluxCourse of FLUXNET shuttle v1.3", "fluxcourse", source)
    return _record(site, steps, table, _COURSE, origin, config, counts)


def scaled_twice(values: NDArray[np.float64]) -> bool:
    """Whether values have six significant digits once divided by 1.0368, and have not as they are."""
    finite = values[np.isfinite(values) & (values != 0)]
    if not finite.size:
        return False
    return _share_short(finite / _WRONG_FACTOR) > _CERTAIN > _share_short(finite)


def _share_short(values: NDArray[np.float64]) -> float:
    """Share of values that six significant digits write exactly."""
    scale = 10.0 ** (np.floor(np.log10(np.abs(values))) - _DIGITS + 1)
    whole = np.abs(values) / scale
    return float((np.abs(whole - np.round(whole)) < 1e-4).mean())


def _record(
    site: str,
    steps: Steps,
    table: pd.DataFrame,
    columns: dict[str, str],
    origin: Origin,
    config: TowerSource,
    counts: dict[str, int],
) -> list[SiteRecord]:
    """Monthly means of daily fluxes; none where days are not to be read."""
    if "DD" not in config.resolution:
        return []
    fluxes = {name: bounded_flux(table, column, origin.source, counts) for name, column in columns.items()}
    months, means = monthly_columns(steps, fluxes, config.minimum_coverage)
    kept, means = in_record(months, means)
    warn_counts({"runaway_fluxes": counts["runaway_fluxes"]}, origin.source)
    if not len(kept):
        raise ValueError(
            f"{origin.source}: site {site} has no month with {config.minimum_coverage:.0%} of its days; lower "
            "sources.towers.minimum_coverage or leave the site out"
        )
    counts["months_below_coverage"] = int(np.isnan(means["nee"]).sum())
    return [partial_record(site, kept, means, origin, counts=counts, config=config)]


def read_six_forests(file: TableFile, config: TowerSource) -> list[SiteRecord]:
    """Read the six-forests table (see :func:`parse_six_forests`)."""
    return parse_six_forests(read_table(file), label(file), config)


def read_fluxcourse(file: TableFile, config: TowerSource) -> list[SiteRecord]:
    """Read one FluxCourse table; its site is that of the file name (see :func:`parse_fluxcourse`).

    Raises
    ------
    ValueError
        When the name is not ``obs_{SITE}_daily.csv``.
    """
    name = FLUXCOURSE.fullmatch(file.name)
    if name is None:
        raise ValueError(f"{file.name} is not named obs_{{SITE}}_daily.csv; keep the source's own file name")
    return parse_fluxcourse(read_table(file), name["site"], label(file), config)
