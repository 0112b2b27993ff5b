"""Record of a site of PLUMBER2: its flux file, and its weather where a file of that lies there too.

**Quality.** Flags above 0 are fills, but what they say of their goodness differs between FLUXNET2015, La Thuile and
OzFlux, so that the quality of a month is the share of its steps with flag 0. That is never better than what a monthly
file of the product says, which counts good fills too. A flux without a flag has no quality.

**Weather** is complete by construction: what the tower lacks comes from its own fills or a debiased reanalysis.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.config.towers import TowerSource
from dere.ingest.tower.canonical import canonical
from dere.ingest.tower.diurnal import diurnal_cycles
from dere.ingest.tower.fluxnet_columns import CO2, FLUX_NAMES, STEMS
from dere.ingest.tower.partial_record import Origin, in_record, monthly_columns, partial_record, warn_counts
from dere.ingest.tower.plumber2 import DRIVERS, FLUXES, NAME, PRODUCT
from dere.ingest.tower.plumber2.files import Content, measured, minutes_per_step, read_content
from dere.ingest.tower.record import SiteRecord
from dere.ingest.tower.stamps import steps_of
from dere.ingest.tower.steps import STEPS_PER_DAY, Steps

log = logging.getLogger(__name__)

_STEP_OF_MINUTES = {1440 // number: step for step, number in STEPS_PER_DAY.items() if number > 1}
# columns of the half-hourly product, for the shared diurnal cycles
_FLUXNET_NAMES = {name: f"{stem}_F" for name, stem in STEMS.items()} | {"co2": CO2}


def read_plumber2(path: Path, config: TowerSource, *weather: Path) -> list[SiteRecord]:
    """Read a flux file with its weather, or one of the two alone.

    Parameters
    ----------
    path
        File of fluxes, or of weather where the run has no fluxes of the site.
    config
        Steps to read, minimum coverage of a month, diurnal cycles, whose partitioning becomes the label.
    weather
        File of weather that belongs to the fluxes.

    Returns
    -------
    list
        One record, or none where its step is not among ``config.resolution``.

    Raises
    ------
    FileNotFoundError
        When a file is missing.
    ValueError
        When a file is damaged, lacks its variables or times, has steps of another length, or no month with enough of
        them.
    """
    name = re.fullmatch(NAME, path.name)
    if name is None:
        raise ValueError(f"{path.name} is not named {{SITE}}_{{years}}_{{data set}}_Flux.nc or _Met.nc; keep its name")
    fluxes = name["kind"].lower() == "flux"
    if fluxes and not weather:
        log.warning("%s has no file ..._Met.nc of its site beside it: its fluxes are read without weather", path.name)
    if not fluxes:
        log.warning("%s has no file ..._Flux.nc of its site beside it: its weather is read without fluxes", path.name)
    contents = [read_content(path, FLUXES if fluxes else DRIVERS), *(read_content(file, DRIVERS) for file in weather)]
    step = _STEP_OF_MINUTES.get(minutes := minutes_per_step(contents[0].table.index), "")
    if not step:
        raise ValueError(
            f"{path.name} has steps of {minutes} minutes, but half hours or hours are expected; take the file as "
            "PLUMBER2 publishes it"
        )
    if step not in config.resolution:
        return []
    origin = Origin(
        PRODUCT,
        f"PLUMBER2 {name['dataset']} {name['first']}-{name['last']}",
        "plumber2",
        path.name,
        int(fluxes) * len(config.resolution) - config.resolution.index(step),
    )
    needed = FLUX_NAMES if fluxes else tuple(column.variable for column in DRIVERS)
    return [parse_site(name["site"], contents, STEPS_PER_DAY[step], origin, config, needed)]


def parse_site(
    site: str,
    contents: list[Content],
    per_day: int,
    origin: Origin,
    config: TowerSource,
    needed: tuple[str, ...],
) -> SiteRecord:
    """Record of monthly means of what the files of a site hold, joined by time.

    Parameters
    ----------
    site
        FLUXNET id.
    contents
        What was read, the first of which says where the tower stands if it does.
    per_day
        Steps of a day.
    origin, config
        As for the record.
    needed
        Variables of which the first and the last month of the record have one.

    Raises
    ------
    ValueError
        As :func:`read_plumber2`.
    """
    source = origin.source
    counts: dict[str, int] = {}
    for content in contents:
        # each by itself: joining would hide a time that occurs twice
        steps_of(content.table.index.values.astype("datetime64[m]"), per_day, source, "time")
    table = pd.concat([content.table for content in contents], axis=1).sort_index()
    table = table.loc[:, ~table.columns.duplicated()]
    steps = steps_of(table.index.values.astype("datetime64[m]"), per_day, source, "time")
    columns = {c.variable: c for content in contents for c in content.columns}
    values = canonical(table, columns.values(), source, counts, per_day)
    shares = _shares(table, {variable: column.name for variable, column in columns.items()})
    months, means = monthly_columns(steps, values | shares, config.minimum_coverage, tuple(shares))
    kept, means = in_record(months, means, needed)
    if not len(kept):
        raise ValueError(
            f"{source} has no month with {config.minimum_coverage:.0%} of its steps in any of "
            f"{', '.join(column.name for column in columns.values())}; lower sources.towers.minimum_coverage or leave "
            "the file out"
        )
    warn_counts(counts, source)
    diurnal = _cycles(values, steps, config, source) if config.diurnal_cycles else {}
    inside = np.isin(months, kept)
    place = next((c for c in contents if np.isfinite(c.lat) and np.isfinite(c.lon)), contents[0])
    igbp = next((content.igbp for content in contents if content.igbp), "")
    return partial_record(
        site, kept, means, origin, (place.lat, place.lon, igbp), counts, config,
        {name: cycle[inside] for name, cycle in diurnal.items()},
    )  # fmt: skip


def _shares(table: pd.DataFrame, columns: dict[str, str]) -> dict[str, NDArray[np.float64]]:
    """Whether each step of NEE and of each driver was measured, under the names of a record."""
    found = {}
    for variable in ("nee", *(column.variable for column in DRIVERS)):
        good = measured(table, columns[variable]) if variable in columns else None
        if good is not None:
            found[f"{variable}_quality"] = good
    return found | ({"nee_measured_share": found["nee_quality"]} if "nee_quality" in found else {})


def _cycles(
    values: dict[str, NDArray[np.float64]], steps: Steps, config: TowerSource, source: str
) -> dict[str, NDArray[np.float64]]:
    """Mean diurnal cycles of the weather that the files hold, (month, 24); left out where they hold none."""
    given = {column: values[name] for name, column in _FLUXNET_NAMES.items() if name in values}
    cycles = diurnal_cycles(pd.DataFrame(given), steps, config.minimum_coverage, source)
    return {name: cycle for name, cycle in cycles.items() if np.isfinite(cycle).any()}
