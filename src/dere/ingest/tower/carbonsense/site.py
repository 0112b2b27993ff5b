"""What the numbers of CarbonSense v1 and v2 mean (arXiv 2406.04940).

What the public pipeline does to the numbers (its code is the only description; no archive was at hand):

- Weather is scaled to -0.5 ... 0.5 by fixed bounds; values beyond them are missing. ``BOUNDS`` undoes it; a file whose
  weather is not scaled is read as it is, and the medians are checked either way. Fluxes are not scaled
  (umolCO2 m-2 s-1).
- v1 keeps measured NEE only, but GPP and RECO of all hours. A monthly mean of measured NEE would be one of summer days,
  so the whole record takes NEE := RECO_NT - GPP_NT where that gives more months; counted.
- Quality codes cannot be trusted: the pipeline asks for column names that do not exist and then guesses by suffix. So
  quality is unknown (NaN), and such months train only with ``harmonise.minimum_training_quality`` 0.
- Hourly precipitation of v1 is the sum of two half hours; in v2 it may be their mean, which cannot be told, so hourly
  precipitation of v2 is left out.
- Fluxes beyond 100 umol m-2 s-1 are masked and counted, as EcoPerceiver does.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from dere.config.towers import TowerSource
from dere.ingest.possible import is_mark
from dere.ingest.tables import numbers
from dere.ingest.tower.canonical import canonical, possible_columns
from dere.ingest.tower.carbonsense import FLUXES, SHORT, V2, WEATHER
from dere.ingest.tower.diurnal import diurnal_cycles
from dere.ingest.tower.partial_record import Origin, in_record, monthly_columns, partial_record, warn_counts
from dere.ingest.tower.record import SiteRecord
from dere.ingest.tower.steps import Steps

# bounds by which the public pipeline scales: (value - middle) / (upper - lower)
BOUNDS: dict[str, tuple[float, float]] = {
    **{"TA_F": (-80.0, 80.0), "P_F": (0.0, 300.0), "SW_IN_F": (0.0, 2000.0), "LW_IN_F": (0.0, 2000.0)},
    **{"VPD_F": (0.0, 110.0), "PA_F": (20.0, 150.0), "WS_F": (0.0, 100.0), "CO2_F_MDS": (0.0, 2000.0)},
    **{"TA": (-80.0, 80.0), "P": (0.0, 50.0), "SW_IN": (-1500.0, 1500.0), "LW_IN": (-1000.0, 1000.0)},
    **{"VPD": (0.0, 110.0), "PA": (0.0, 110.0), "WS": (-100.0, 100.0), "CO2": (0.0, 750.0)},
}
_LARGEST_SCALED = 0.5 + 1e-6
# no weather in units of its own lies there: pressure and CO2 never do
_SHARE_SCALED = 0.99


def parse_site(
    table: pd.DataFrame,
    steps: Steps,
    site: str,
    place: tuple[float, float, str],
    origin: Origin,
    config: TowerSource,
) -> SiteRecord | None:
    """Record of monthly means of one site.

    Parameters
    ----------
    table
        Columns of v1 or v2, one row per step.
    steps
        Their times, local standard time.
    site, place
        FLUXNET id; latitude, longitude, IGBP class.
    origin
        Product (carbonsense-v1 or -v2) and file.
    config
        Minimum coverage, diurnal cycles, whose partitioning becomes the label.

    Returns
    -------
    SiteRecord or None
        None where no month has enough steps of a flux.

    Raises
    ------
    ValueError
        Text in a number column, or a unit that cannot be right.
    """
    counts: dict[str, int] = {}
    where = f"{origin.source} site {site}"
    fluxes = canonical(table, [replace(c, name=name_in(table, c.name)) for c in FLUXES], where, counts)
    named = possible_columns(unscaled_weather(table, where), WEATHER, where, counts, steps.per_day)
    weather = canonical(named, WEATHER, where, counts, steps.per_day)
    if steps.per_day == 24 and origin.product == V2:
        counts["precipitation_of_unknown_unit"] = int(np.isfinite(weather.pop("precipitation")).sum())
    months, means = monthly_columns(steps, {**fluxes, **weather}, config.minimum_coverage)
    derived = {"nee": fluxes["reco_nt"] - fluxes["gpp_nt"]}
    _, other = monthly_columns(steps, derived, config.minimum_coverage)
    present = {"nee": np.isfinite(fluxes["nee"]).astype(float)}
    means["nee_coverage"] = monthly_columns(steps, present, 0.0, ("nee",))[1]["nee"]
    if np.isfinite(other["nee"]).sum() > np.isfinite(means["nee"]).sum():
        means["nee"] = other["nee"]
        counts["months_of_nee_as_reco_minus_gpp"] = int(np.isfinite(other["nee"]).sum())
    kept, means = in_record(months, means)
    warn_counts(counts, where)
    if not len(kept):
        return None
    diurnal = {}
    if config.diurnal_cycles:
        cycles = diurnal_cycles(named, steps, config.minimum_coverage, where)
        diurnal = {name: values[np.isin(months, kept)] for name, values in cycles.items()}
    return partial_record(site, kept, means, origin, place, counts, config, diurnal)


def name_in(table: pd.DataFrame, name: str) -> str:
    """Return a column's name in a table of either version."""
    return name if name in table.columns else SHORT[name]


def unscaled_weather(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """Weather in units under the FLUXNET names; scaling is undone where nearly all of it lies within -0.5 to 0.5.

    What lies beyond in a scaled table becomes infinite, as no weather is: it was never scaled, or its scale is unknown.

    Raises
    ------
    ValueError
        When a field is text.
    """
    found = {column.name: name_in(table, column.name) for column in WEATHER}
    values = {name: numbers(table, column, source) for name, column in found.items()}
    known = np.concatenate([column[~np.isnan(column)] for column in values.values()])
    inside = np.abs(known) <= _LARGEST_SCALED
    if inside.any() and inside.sum() >= _SHARE_SCALED * (known.size - is_mark(known[~inside]).sum()):
        for name, column in found.items():
            low, high = BOUNDS[column]
            no_weather = np.abs(values[name]) > _LARGEST_SCALED
            values[name] = np.where(no_weather, np.inf, values[name] * (high - low) + (low + high) / 2)
    return pd.DataFrame(values)
