"""From interim files to the canonical set: the order of the steps, each of which is a module of its own."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from dere.config.harmonise import HarmoniseConfig
from dere.config.simulation import SimulationSource
from dere.config.splits import SplitsConfig
from dere.exchange import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.harmonise import own_cells
from dere.harmonise.assignment import make_splits
from dere.harmonise.axis import calendar_years
from dere.harmonise.cells import (
    cell_drivers,
    member_drivers,
    positions,
)
from dere.harmonise.cover import cell_cover, listed_cover
from dere.harmonise.cover_grid import maps_on_grid
from dere.harmonise.final import final_cells, final_towers
from dere.harmonise.interim import Interim
from dere.harmonise.knowledge_channels import class_cycles, with_knowledge
from dere.harmonise.label_months import labels_of, usable
from dere.harmonise.labelled_towers import labelled_towers
from dere.harmonise.lost_labels import warn_lost_labels
from dere.harmonise.protocols import hidden_groups
from dere.harmonise.provenance import provenance_table
from dere.harmonise.simulated import states_at_towers
from dere.harmonise.simulated_satellites import member_satellites
from dere.harmonise.site_inputs import tower_drivers, with_cover, with_simulation
from dere.harmonise.stands import masked_stands, pure_samples
from dere.harmonise.statics import without_classes
from dere.harmonise.truth import canonical_truth
from dere.ingest.alignment import require_same_axes
from dere.ingest.simulation.annual_targets import require_fluxes
from dere.io import write_netcdf, write_table
from dere.variables import SATELLITE

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
    inputs = tower_drivers(interim, config, builtin)
    raw, towers, counts, dropped = inputs.raw, inputs.towers, inputs.counts, inputs.dropped
    chosen = raw.sel(site=towers["site"].values)
    towers, labels = labelled_towers(towers, chosen, exchange, config)
    warn_lost_labels(chosen, labels.counts, config.maximum_closure_residual)
    counts = pd.concat([table for table in (counts, labels.counts) if len(table)], ignore_index=True)

    ages = source.ages
    if not builtin and simulation is not None:
        ages = tuple(int(age) for age in simulation["age"].values)
    towers, lost = with_cover(towers, interim, raw, ages, config)
    dropped |= lost
    counts, odd = (rows[~rows["site"].isin(list(lost))] for rows in (counts, labels.odd))

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
        towers.sizes["window"],
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
    towers = own_cells.after_use(with_simulation(towers, simulated, initial), forcing)
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
    return drivers, runs.simulation, of_cells, with_simulation(towers, runs.simulated, runs.initial_state)
