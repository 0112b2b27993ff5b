"""Read a process-model simulation and write its forcing and its states as interim files."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from dere.config.simulation import SimulationSource
from dere.ingest.source import Source, source_called
from dere.invented import marked
from dere.io import write_netcdf, write_table

log = logging.getLogger(__name__)


def ingest_simulation(
    folder: Path,
    driver_set: str,
    config: SimulationSource,
    forcing: Path,
    simulation: Path,
    provenance: Path,
    memory: int | None = None,
    among: Sequence[Source] | None = None,
    invented: bool = False,
) -> None:
    """Write ``forcing``, ``simulation`` and the table of the files behind them, within ``memory`` bytes.

    The source of ``config.format`` reads them: ``read(folder, driver_set, config, memory)``; ``among`` limits the
    sources that are looked through. The files say so when the simulation is ``invented``, that of the built-in world.

    Raises
    ------
    FileNotFoundError, ValueError
        As the reader of the format.
    """
    read = source_called("simulation", config.format, among).reader()
    drivers, states, table = read(folder, driver_set, config, memory)
    about = marked(["simulation"] * invented)
    write_netcdf(drivers.assign_attrs(about), forcing)
    # large and read once: uncompressed is several times faster
    write_netcdf(states.assign_attrs(about), simulation, compress=False)
    write_table(table, provenance)
    log.info("%d cells, %d ages, %d files", states.sizes["cell"], states.sizes["age"], len(table))
