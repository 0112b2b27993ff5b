"""Read a process-model simulation and write its forcing and its states as interim files."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import xarray as xr

from dere.config.sources import SimulationSource
from dere.ingest import carbonglobe, dere_simulation
from dere.ingest.provenance import provenance_of
from dere.io import write_netcdf, write_table
from dere.workflow import ingest_dere

log = logging.getLogger(__name__)

Read = tuple[xr.Dataset, xr.Dataset, pd.DataFrame]
"""Forcing, simulation and the table of the files behind them."""


def _carbonglobe(folder: Path, driver_set: str, config: SimulationSource, memory: int | None) -> Read:
    files = [path for path in folder.iterdir() if path.suffix in (".npy", ".json", ".nc")]
    return *carbonglobe.read_simulation(folder, driver_set, memory), provenance_of({"carbonglobe": files})


def _dere(folder: Path, driver_set: str, config: SimulationSource, memory: int | None) -> Read:
    return *dere_simulation.read_simulation(folder, config), ingest_dere.provenance_of(config)


READERS: dict[str, Callable[[Path, str, SimulationSource, int | None], Read]] = {
    "carbonglobe": _carbonglobe,
    "dere": _dere,
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
