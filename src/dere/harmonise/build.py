"""From interim files to the canonical set: the order of the steps, each of which is a module of its own."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.channels import CLOCK
from dere.config.harmonise import HarmoniseConfig
from dere.config.simulation import SimulationSource
from dere.config.splits import SplitsConfig
from dere.exchange import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.harmonise import own_cells
from dere.harmonise.assignment import make_splits
from dere.harmonise.axis import calendar_years, on_calendar_years, time_bounds
from dere.harmonise.cells import (
    cell_drivers,
    climate_of,
    drivers_from_cells,
    mean_age,
    member_drivers,
    positions,
)
from dere.harmonise.cover import cell_cover, covered_towers, listed_cover, site_cover
from dere.harmonise.cover_grid import maps_on_grid
from dere.harmonise.cover_lookup import under_kept_codes
from dere.harmonise.final import final_cells, final_towers
from dere.harmonise.gaps import complete_drivers
from dere.harmonise.impossible import without_impossible
from dere.harmonise.interim import Interim
from dere.harmonise.knowledge_channels import class_cycles, recorded_a_year, with_knowledge
from dere.harmonise.label_months import labels_of, usable
from dere.harmonise.labelled_towers import labelled_towers
from dere.harmonise.lost_labels import warn_lost_labels
from dere.harmonise.own_weather import with_own_weather
from dere.harmonise.protocols import hidden_groups
from dere.harmonise.provenance import provenance_table
from dere.harmonise.simulated import states_at_towers
from dere.harmonise.simulated_satellites import member_satellites
from dere.harmonise.stands import masked_stands, pure_samples
from dere.harmonise.statics import ATTRIBUTES, derived_igbp, first_year_cover, static_attributes, without_classes
from dere.harmonise.truth import canonical_truth
from dere.harmonise.windows import site_windows
from dere.ingest.alignment import require_same_axes
from dere.ingest.simulation.annual_targets import require_fluxes
from dere.io import write_netcdf, write_table
from dere.variables import PLANT_TYPES, SATELLITE, STANDS, TARGETS

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Canonical:
    """The canonical set in memory.

    ``counts`` has site, step, reason, months, ``odd`` the months that do not fit the tower's own record
    (``odd_months.COLUMNS``), ``dropped`` site to sentence.
    """

    drivers: xr.Dataset
    simulation: xr.Dataset
    cover: xr.Dataset
    towers: xr.Dataset
    splits: pd.DataFrame
    provenance: pd.DataFrame
    counts: pd.DataFrame
    odd: pd.DataFrame
    dropped: dict[str, str]
    truth: xr.Dataset | None = None


def harmonise(
    interim: Interim,
    source: SimulationSource,
    config: HarmoniseConfig,
    split_config: SplitsConfig,
    exchange: Exchange = CO2,
) -> Canonical:
    """Make the canonical set.

    Parameters
    ----------
    interim
        What ingest made.
    source
        Simulation provider, ages and perturbations (builtin).
    config, split_config
        As in the configuration.
    exchange
        Whose labels decide which towers train, that of the simulation.

    Raises
    ------
    ValueError
        When a rule of the modules is broken; the sentence names member, value, expectation and remedy.
    """
    builtin = source.provider == "builtin"
    if interim.forcing is not None and not config.satellites:
        interim = replace(interim, forcing=interim.forcing.drop_vars(SATELLITE, errors="ignore"))
    forcing, simulation = interim.forcing, interim.simulation
    if builtin and config.driver_set != "monthly8":
        raise ValueError(
            f"harmonise.driver_set is '{config.driver_set}' and sources.simulation.provider is builtin, which runs on "
            "monthly8; choose monthly8, or files with CarbonGlobe channels"
        )
    if not builtin and (forcing is None or simulation is None):
        raise ValueError(
            "sources.simulation.provider is files, but no simulation was ingested; give its folder or choose builtin"
        )
    raw, impossible = without_impossible(on_calendar_years(interim.towers))
    dropped: dict[str, str] = {}
    if not builtin and forcing is not None:
        raw, lost = own_cells.place(raw, forcing)
        dropped |= lost
    towers, counts, lost = _tower_drivers(raw, interim, config)
    dropped |= lost
    if config.channels != "none":
        towers, lost = recorded_a_year(towers)
        dropped |= lost
        counts = counts[~counts["site"].isin(list(lost))]
    chosen = raw.sel(site=towers["site"].values)
    towers, labels = labelled_towers(towers, chosen, exchange, config)
    warn_lost_labels(chosen, labels.counts, config.maximum_closure_residual)
    counts = pd.concat([table for table in (impossible, counts, labels.counts) if len(table)], ignore_index=True)

    ages = source.ages
    if not builtin and simulation is not None:
        ages = tuple(int(age) for age in simulation["age"].values)
    years = calendar_years(towers["time"].values)
    years = np.arange(years[0] - 1, years[-1] + 1)
    cover = interim.cover
    own, own_ages = (under_kept_codes(table, raw) for table in (cover.sites, cover.site_ages))
    of_sites = site_cover(towers, years, ages, own, own_ages, cover.grid, cover.grid_ages)
    towers, lost = covered_towers(towers, of_sites)
    dropped |= lost
    counts, odd = (rows[~rows["site"].isin(list(lost))] for rows in (counts, labels.odd))
    towers = _with_statics(towers, forcing, config.satellites)
    window_site, window_start = site_windows(towers["record"].values, config.window, config.window_stride)
    towers["window_site"], towers["window_start"] = ("window", window_site), ("window", window_start)
    towers.attrs |= {"driver_set": config.driver_set, "window": config.window}

    build = _builtin if builtin else _files
    drivers, members, of_cells, towers = build(towers, interim, source, config)
    towers = final_towers(towers, config.satellites)
    cycles = class_cycles(towers) if config.satellites else None
    towers, drivers = (with_knowledge(dataset, config.channels, cycles) for dataset in (towers, drivers))
    drivers = final_cells(drivers, config.satellites)
    table = make_splits(towers, drivers, split_config)
    if hidden := hidden_groups(split_config):
        for attributed in (towers, drivers):
            attributed["static"] = attributed["static"].copy(data=without_classes(attributed["static"].values, hidden))
    truth = None
    if interim.truth is not None:
        truth = canonical_truth(interim.truth, towers, None if builtin else drivers, exchange.names)
    provenance = provenance_table(interim.provenance, counts, dropped)
    log.info(
        "%d towers (%d with labels, %d dropped), %d windows, %d cells, %d labelled months",
        towers.sizes["site"],
        int((towers["kind"] == "tower").sum()),
        len(dropped),
        len(window_site),
        drivers.sizes["cell"],
        int(usable(*labels_of(towers, exchange), 0.0).any(-1).sum()),
    )
    return Canonical(drivers, members, of_cells, towers, table, provenance, counts, odd, dropped, truth)


def write(canonical: Canonical, folder: Path) -> None:
    """Write drivers.nc, simulation.nc, cover.nc, towers.nc, splits.csv, counts.csv and, for the world, truth.nc."""
    folder = Path(folder)
    write_netcdf(canonical.drivers, folder / "drivers.nc")
    # large and read often: uncompressed reads several times faster
    write_netcdf(canonical.simulation, folder / "simulation.nc", compress=False)
    write_netcdf(canonical.cover, folder / "cover.nc")
    write_netcdf(canonical.towers, folder / "towers.nc")
    write_table(canonical.splits, folder / "splits.csv")
    write_table(canonical.counts, folder / "counts.csv")
    if canonical.truth is not None:
        write_netcdf(canonical.truth, folder / "truth.nc")


def _tower_drivers(
    raw: xr.Dataset, interim: Interim, config: HarmoniseConfig
) -> tuple[xr.Dataset, pd.DataFrame, dict[str, str]]:
    """Complete drivers of towers: their own; under carbonglobe136 the covering cell's for what they do not measure."""
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


def _files(
    towers: xr.Dataset, interim: Interim, source: SimulationSource, config: HarmoniseConfig
) -> tuple[xr.Dataset, xr.Dataset, xr.Dataset, xr.Dataset]:
    """Cells of the grid; towers take the simulation of the cell that holds them."""
    assert interim.forcing is not None and interim.simulation is not None
    forcing = interim.forcing
    require_same_axes({"the interim forcing": forcing, "the interim simulation": interim.simulation})
    require_fluxes(interim.simulation)
    pure = pure_samples(interim.simulation, config.dominance)
    simulation = masked_stands(interim.simulation, pure)
    years = calendar_years(forcing["time"].values)
    years = np.arange(years[0] - 1, years[-1] + 1)
    ages = simulation["age"].values.tolist()
    grid = own_cells.on_grid(forcing, forcing)
    if interim.cover.cells is not None:
        of_cells = listed_cover(grid, interim.cover.cells, years, ages)
    else:
        maps = interim.cover.grid
        if maps is not None:
            maps = maps_on_grid(maps, float(forcing.attrs["grid_degrees"]), config.regrid)
        of_cells = cell_cover(grid, maps, interim.cover.grid_ages, years, ages)
    drivers = cell_drivers(grid, of_cells, config.driver_set, config.satellites)
    position = positions(towers["cell"].values, forcing)
    simulated, initial = states_at_towers(interim.simulation, pure, towers, position)
    towers = own_cells.after_use(_with_simulation(towers, simulated, initial), forcing)
    return drivers, own_cells.on_grid(simulation, forcing), of_cells, towers


def _builtin(
    towers: xr.Dataset, interim: Interim, source: SimulationSource, config: HarmoniseConfig
) -> tuple[xr.Dataset, xr.Dataset, xr.Dataset, xr.Dataset]:
    """Members are the labelled towers' forcings and perturbed copies of them."""
    # here, because only this provider needs the process model
    from dere.harmonise.members import member_cover, run_sites

    runs = run_sites(towers, source, (towers["kind"] == "tower").values)
    of_cells = member_cover(towers, runs)
    members, simulated_view = runs.drivers, source.satellites == "simulated"
    if config.satellites and simulated_view:
        seen = member_satellites(towers, runs.simulated, runs.simulation["state"].values, runs.site_of_cell)
        members = members.assign({name: members[name].copy(data=values) for name, values in seen.items()})
    drivers = member_drivers(
        members, towers, runs.site_of_cell, runs.soil_depth, config.satellites, own_satellites=not simulated_view
    )
    number = np.full(towers.sizes["site"], -1)
    unperturbed = runs.drivers["copy"].values == 0
    number[runs.site_of_cell[unperturbed]] = runs.drivers["cell"].values[unperturbed]
    towers = towers.assign_coords(cell=("site", number))
    return drivers, runs.simulation, of_cells, _with_simulation(towers, runs.simulated, runs.initial_state)


def _with_simulation(towers: xr.Dataset, simulated: NDArray, initial: NDArray) -> xr.Dataset:
    towers["simulated"] = (("site", "time", "target"), simulated)
    towers["initial_state"] = (("window", "stand", "age", "target"), initial)
    return towers.assign_coords(target=list(TARGETS), stand=list(STANDS), plant_type=list(PLANT_TYPES))
