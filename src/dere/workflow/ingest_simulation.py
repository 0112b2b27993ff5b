"""Read a process-model simulation and write its forcing and its states as interim files."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import xarray as xr

from dere.config.simulation import SimulationSource
from dere.ingest.arrays import dere_simulation
from dere.ingest.provenance import provenance_of
from dere.ingest.simulation import carbonglobe, process_model_netcdf
from dere.ingest.simulation.annual_targets import without_fluxes
from dere.ingest.simulation.carbonglobe_bundle import find_bundle, read_bundle
from dere.ingest.simulation.carbonglobe_public import drop_own_fluxes, read_public
from dere.io import write_netcdf, write_table
from dere.workflow import ingest_dere

log = logging.getLogger(__name__)

Read = tuple[xr.Dataset, xr.Dataset, pd.DataFrame]
"""Forcing, simulation and the table of the files behind them."""


def _carbonglobe(folder: Path, driver_set: str, config: SimulationSource, memory: int | None) -> Read:
    """Our own layout where there is a meta.json, else the public one: global arrays or the bundle."""
    if (folder / "meta.json").exists():
        drivers, states = carbonglobe.read_simulation(folder, driver_set, memory)
        if drop_own_fluxes(folder, [int(age) for age in states["age"].values], config.annual_targets):
            states = without_fluxes(states)
        files = [path for path in folder.iterdir() if path.suffix in (".npy", ".json", ".nc")]
        return drivers, states, provenance_of({"carbonglobe": files})
    bundle = None if (folder / "glob_X_fea.npy").exists() else find_bundle(folder)
    if bundle is not None:
        files = [path for path in (bundle, folder / "data_stats.npz") if path.exists()]
        return *read_bundle(bundle, driver_set, config, memory), provenance_of({"carbonglobe-public": files})
    pair = read_public(folder, driver_set, config, memory)
    names = ("mask2d.npy", "glob_X_fea.npy", "glob_Y*.npy", "train.csv", "val.csv", "test.csv", "data_stats.npz")
    return *pair, provenance_of({"carbonglobe-public": [path for name in names for path in folder.glob(name)]})


def _dere(folder: Path, driver_set: str, config: SimulationSource, memory: int | None) -> Read:
    return *dere_simulation.read_simulation(folder, config), ingest_dere.provenance_of(config)


def _netcdf(folder: Path, driver_set: str, config: SimulationSource, memory: int | None) -> Read:
    forcing, simulation, files = process_model_netcdf.read_simulation(folder, driver_set, config, memory)
    return forcing, simulation, provenance_of({"process-model-netcdf": files})


READERS: dict[str, Callable[[Path, str, SimulationSource, int | None], Read]] = {
    "carbonglobe": _carbonglobe,
    "dere": _dere,
    "netcdf": _netcdf,
}
"""Format to its reader."""


def ingest_simulation(
    folder: Path,
    driver_set: str,
    config: SimulationSource,
    forcing: Path,
    simulation: Path,
    provenance: Path,
    memory: int | None = None,
) -> None:
    """Write ``forcing``, ``simulation`` and the table of the files behind them, within ``memory`` bytes.

    Raises
    ------
    FileNotFoundError, ValueError
        As the reader of the format.
    """
    drivers, states, table = READERS[config.format](folder, driver_set, config, memory)
    write_netcdf(drivers, forcing)
    # large and read once: uncompressed is several times faster
    write_netcdf(states, simulation, compress=False)
    write_table(table, provenance)
    log.info("%d cells, %d ages, %d files", states.sizes["cell"], states.sizes["age"], len(table))
