"""What sites bring of their own: complete drivers, cover, attributes and windows, without any label.

The towers of a run and the sites of one's own that its models predict (``own_sites``) go the same way here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.channels import CLOCK
from dere.config.harmonise import HarmoniseConfig
from dere.harmonise import own_cells
from dere.harmonise.axis import calendar_years, on_calendar_years, time_bounds
from dere.harmonise.cells import climate_of, drivers_from_cells, mean_age, positions
from dere.harmonise.cover import covered_towers, site_cover
from dere.harmonise.cover_lookup import under_kept_codes
from dere.harmonise.gaps import complete_drivers
from dere.harmonise.impossible import without_impossible
from dere.harmonise.interim import Interim
from dere.harmonise.knowledge_channels import recorded_a_year
from dere.harmonise.own_weather import with_own_weather
from dere.harmonise.statics import ATTRIBUTES, derived_igbp, first_year_cover, static_attributes
from dere.harmonise.windows import site_windows
from dere.variables import PLANT_TYPES, SATELLITE, STANDS, TARGETS


class SiteInputs(NamedTuple):
    """Sites on whole calendar years as they were read, with complete drivers, and what became of them.

    ``raw`` has every site, ``towers`` those that are left; ``counts`` has site, step, reason, months, ``dropped`` site
    to sentence.
    """

    raw: xr.Dataset
    towers: xr.Dataset
    counts: pd.DataFrame
    dropped: dict[str, str]


def tower_drivers(interim: Interim, config: HarmoniseConfig, builtin: bool) -> SiteInputs:
    """Complete the drivers of sites: their own; under carbonglobe136 the covering cell's for what they do not measure.

    Parameters
    ----------
    interim
        Towers, and the forcing of the cells where the simulation comes from files.
    config
        As in the configuration.
    builtin
        The built-in process model runs on the sites, which then lie in no cell.

    Raises
    ------
    ValueError
        When no site is left.
    """
    raw, impossible = without_impossible(on_calendar_years(interim.towers))
    dropped: dict[str, str] = {}
    if not builtin and interim.forcing is not None:
        raw, lost = own_cells.place(raw, interim.forcing)
        dropped |= lost
    towers, counts, lost = _completed(raw, interim, config)
    dropped |= lost
    if config.channels != "none":
        towers, lost = recorded_a_year(towers)
        dropped |= lost
        counts = counts[~counts["site"].isin(list(lost))]
    tables = [table for table in (impossible, counts) if len(table)]
    return SiteInputs(raw, towers, pd.concat(tables, ignore_index=True) if tables else counts, dropped)


def with_cover(
    towers: xr.Dataset, interim: Interim, raw: xr.Dataset, ages: Sequence[int], config: HarmoniseConfig
) -> tuple[xr.Dataset, dict[str, str]]:
    """Add cover, static attributes and windows.

    Parameters
    ----------
    towers, raw
        From `tower_drivers`.
    interim
        Cover tables, and the forcing of the cells.
    ages
        Stand ages of the run.
    config
        As in the configuration.

    Returns
    -------
    tuple
        Sites that have a cover, with attributes ``driver_set`` and ``window``; site to sentence of the others.
    """
    years = calendar_years(towers["time"].values)
    years = np.arange(years[0] - 1, years[-1] + 1)
    cover = interim.cover
    own, own_ages = (under_kept_codes(table, raw) for table in (cover.sites, cover.site_ages))
    of_sites = site_cover(towers, years, ages, own, own_ages, cover.grid, cover.grid_ages)
    towers, lost = covered_towers(towers, of_sites)
    towers = _with_statics(towers, interim.forcing, config.satellites)
    window_site, window_start = site_windows(towers["record"].values, config.window, config.window_stride)
    towers["window_site"], towers["window_start"] = ("window", window_site), ("window", window_start)
    towers.attrs |= {"driver_set": config.driver_set, "window": config.window}
    return towers, lost


def with_simulation(towers: xr.Dataset, simulated: NDArray, initial: NDArray) -> xr.Dataset:
    """Add the simulated series (site, time, target) and the states before windows (window, stand, age, target)."""
    towers["simulated"] = (("site", "time", "target"), simulated)
    towers["initial_state"] = (("window", "stand", "age", "target"), initial)
    return towers.assign_coords(target=list(TARGETS), stand=list(STANDS), plant_type=list(PLANT_TYPES))


def _completed(
    raw: xr.Dataset, interim: Interim, config: HarmoniseConfig
) -> tuple[xr.Dataset, pd.DataFrame, dict[str, str]]:
    if config.driver_set == "monthly8" or interim.forcing is None:
        use_own = config.co2 == "tower" or (config.co2 == "auto" and interim.truth is not None)
        completed = complete_drivers(raw, config.maximum_driver_gap, use_own)
    else:
        completed = drivers_from_cells(raw, interim.forcing)
        if config.tower_weather == "own":
            clock = str(interim.forcing.attrs.get(CLOCK, "unknown"))
            completed = with_own_weather(completed, raw, config.maximum_driver_gap, clock)
        completed = own_cells.as_own(completed)
    towers = completed.dataset
    if config.satellites:
        chosen = raw.sel(site=towers["site"].values)
        for name in SATELLITE:
            if name in chosen:
                towers[name] = chosen[name].where(towers["record"]).astype(np.float32)
    towers["time_bnds"] = (("time", "bnds"), time_bounds(towers["time"].values))
    return towers, completed.counts, completed.dropped


def _with_statics(towers: xr.Dataset, forcing: xr.Dataset | None, satellites: bool) -> xr.Dataset:
    """Static attributes; soil depth is that of the tower's cell, a class that no source states is derived as there."""
    depth = None
    if forcing is not None and "soil" in forcing:
        soil = forcing["soil"].sel(soil_property="depth_to_bedrock").values
        depth = soil[positions(towers["cell"].values, forcing)] / 1000.0
    climate = climate_of(towers)
    classes = towers["igbp"].values.astype(str)
    fraction, vegetated = first_year_cover(towers)
    if (classes == "").any():
        classes = np.where(classes == "", derived_igbp(climate, fraction, vegetated), classes)
    static = static_attributes(
        climate,
        classes.tolist(),
        towers["lat"].values,
        fraction,
        mean_age(towers),
        elevation=towers["elevation"].values.astype(float) if "elevation" in towers.coords else None,
        soil_depth=depth,
        satellites=satellites,
    )
    towers["static"] = (("site", "attribute"), static)
    return towers.assign_coords(attribute=list(ATTRIBUTES))
