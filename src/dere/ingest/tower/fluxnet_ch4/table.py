"""FLUXNET-CH4 v1: daily and half-hourly carbon dioxide and methane fluxes.

Delwiche et al. 2021, doi 10.5194/essd-13-3607-2021. There are no thresholds or percentiles: NEE_F is the filled flux,
and RECO_NT = NEE_F + GPP_NT.

**Unit of the daily files.** The columns carry no unit. They are plain means of half-hourly values in umolCO2 m-2 s-1:
where those have at most four decimals, a day's mean of n of them times n is a multiple of 1e-4. That holds for 99 to
100 % of the days of NEE at FI-Lom, FI-Si2, FI-Sii, RU-Che and RU-Ch2 (n up to 48), and for none once the values are
divided or multiplied by 1.0377504, the factor between the units. Other sites have more decimals and cannot decide;
nothing contradicts. Hence the unit of the columns.

**What is wrong in the files** (seen in the 15 daily ones at hand): partitioned fluxes of 1e15 to infinity on some days
at RU-Che and RU-Ch2 (60 values), masked and counted; precipitation of FI-Lom ten times too high (5485 mm a year against
533 in FLUXNET2015, correlation 0.96), left out. The identity of RECO_NT holds to 0.001 on 98.6 to 100 % of the days and
breaks by up to 0.74 where a long gap begins within the day.

**Methane.** Nanomoles per second in all files, by the same agreement of those who use them. Months and quality by
``methane.measured_months``.

**Quality.** Half-hourly files: the share of measured half hours. Daily files do not say it; the share of days with any
measured NEE stands in, an upper bound.
"""

from __future__ import annotations

import logging
import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.config.towers import TowerSource
from dere.ingest.archives import TableFile, label
from dere.ingest.tables import read_table, require_columns
from dere.ingest.tower.canonical import bounded_flux, canonical, possible_columns
from dere.ingest.tower.diurnal import diurnal_cycles
from dere.ingest.tower.fluxnet_ch4 import COLUMNS, FLUXES, METHANE, NAME, PRODUCT, WEATHER
from dere.ingest.tower.fluxnet_ch4.methane import measured_months
from dere.ingest.tower.fluxnet_columns import FLUX_NAMES
from dere.ingest.tower.partial_record import Origin, in_record, monthly_columns, partial_record, warn_counts
from dere.ingest.tower.record import SiteRecord
from dere.ingest.tower.steps import Steps, parse_steps

log = logging.getLogger(__name__)

# columns that are wrong at a site, with the reason (module docstring)
FAULTY = {("FI-Lom", "P_F"): "ten times the precipitation of FLUXNET2015"}
_READ = frozenset(["TIMESTAMP", "TIMESTAMP_START", "NEE", METHANE.name, *(column.name for column in COLUMNS)])


def parse(table: pd.DataFrame, name: str, source: str, config: TowerSource) -> list[SiteRecord]:
    """Turn a daily or half-hourly table into a record of monthly means.

    Parameters
    ----------
    table
        Columns by their names in the product; the set differs between sites.
    name
        File name: site, step and years.
    source
        File for messages.
    config
        Minimum coverage of a month, diurnal cycles, whose partitioning becomes the label, and the steps to read.

    Returns
    -------
    list
        One record, or none where the step is not among ``config.resolution``.

    Raises
    ------
    ValueError
        A name of another product, missing columns, impossible or disordered times, years that are not the name's, text
        in a number column, a unit that cannot be right.
    """
    parts = re.fullmatch(NAME, name)
    if parts is None:
        raise ValueError(
            f"{name} is not named FLX_{{SITE}}_FLUXNET-CH4_{{DD or HH}}_{{years}}_{{version}}.csv; keep the product's "
            "own file name"
        )
    if parts["step"] not in config.resolution:
        return []
    require_columns(table, ["NEE_F"], source)
    steps = parse_steps(table, parts["step"], source)
    _check_years(steps, int(parts["first"]), int(parts["last"]), source)
    counts: dict[str, int] = {}
    # the diurnal cycles below look at the table, too
    table = possible_columns(table, WEATHER, source, counts, steps.per_day)
    columns = _columns(table, parts["site"], steps.per_day, source, counts)
    columns["nee_quality"] = np.isfinite(bounded_flux(table, "NEE", source, {})).astype(float)
    if steps.per_day > 1:
        columns["nee_measured_share"] = columns["nee_quality"]
    months, means = monthly_columns(steps, columns, config.minimum_coverage, ("nee_quality", "nee_measured_share"))
    means |= methane_months(table, steps, source, counts)
    kept, means = in_record(months, means, (*FLUX_NAMES, METHANE.variable))
    counts["months_below_coverage"] = int(np.isnan(means["nee"]).sum())
    warn_counts({k: n for k, n in counts.items() if k != "months_below_coverage"}, source)
    if not len(kept):
        raise ValueError(
            f"{source} has no month with {config.minimum_coverage:.0%} of its steps in any of "
            f"{', '.join(c.name for c in FLUXES)}; lower sources.towers.minimum_coverage or leave the file out"
        )
    origin = Origin(
        PRODUCT,
        f"FLUXNET-CH4 {parts['step']} {parts['version']}",
        "fluxnet-ch4",
        source,
        len(config.resolution) - config.resolution.index(parts["step"]),
    )
    diurnal = {}
    if steps.per_day > 1 and config.diurnal_cycles:
        cycles = diurnal_cycles(table, steps, config.minimum_coverage, source)
        diurnal = {name: values[np.isin(months, kept)] for name, values in cycles.items()}
    return [partial_record(parts["site"], kept, means, origin, counts=counts, config=config, diurnal=diurnal)]


def _columns(
    table: pd.DataFrame, site: str, per_day: int, source: str, counts: dict[str, int]
) -> dict[str, NDArray[np.float64]]:
    """Fluxes in gC m-2 d-1 and drivers in canonical units, one value per step."""
    values = canonical(table, [c for c in COLUMNS if (site, c.name) not in FAULTY], source, counts, per_day)
    for column in COLUMNS:
        if column.variable not in values:
            counts[f"{column.variable}_left_out"] = len(table)
    return values


def methane_months(
    table: pd.DataFrame, steps: Steps, source: str, counts: dict[str, int]
) -> dict[str, NDArray[np.float64]]:
    """Methane of the months in gC m-2 d-1 and its quality; nothing where no step was measured.

    Raises
    ------
    ValueError
        When a field is text, or the unit cannot be right.
    """
    flux = canonical(table, (METHANE,), source, counts, steps.per_day)[METHANE.variable]
    if not np.isfinite(flux).any():
        return {}
    _, mean, quality = measured_months(steps, flux)
    return {METHANE.variable: mean, f"{METHANE.variable}_quality": quality}


def _check_years(steps: Steps, first: int, last: int, source: str) -> None:
    """Records begin and end within the years of the name, not always on their first and last day."""
    if not len(steps.month):
        raise ValueError(f"{source} has a header but no rows, and a record is needed; download it again")
    years = (int(steps.month[0]) // 12, int(steps.month[-1]) // 12)
    if years != (first, last):
        raise ValueError(
            f"{source} holds {years[0]} to {years[1]}, but its name promises {first} to {last}; it is truncated or "
            "renamed: download it again, or correct the years in its name"
        )
    if lacking := last * 12 + 11 - int(steps.month[-1]):
        log.warning("%s ends %d months before the last year of its name; it may be truncated", source, lacking)


def read_fluxnet_ch4(file: TableFile, config: TowerSource) -> list[SiteRecord]:
    """Read one file of FLUXNET-CH4 (see :func:`parse`).

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        When its name or content fails a check.
    """
    return parse(read_table(file, _READ), file.name, label(file), config)
