"""Read a process-model simulation and write its forcing and its states as interim files."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from dere.config.simulation import SimulationSource
from dere.ingest.accounts import accounts_of_folder
from dere.ingest.source import Source, source_called
from dere.invented import marked
from dere.io import write_netcdf, write_table
from dere.workflow.told_accounts import tell

log = logging.getLogger(__name__)


def ingest_simulation(
    folder: Path,
    driver_set: str,
    config: SimulationSource,
    forcing: Path,
    simulation: Path,
    provenance: Path,
    sources: Path,
    memory: int | None = None,
    among: Sequence[Source] | None = None,
    invented: bool = False,
) -> None:
    """Write ``forcing``, ``simulation`` and the table of the files behind them, within ``memory`` bytes.

    ``sources`` says of every file of the folder what became of it (docs/tables.md).

    The source of ``config.format`` reads them: ``read(folder, driver_set, config, memory)``; ``among`` limits the
    sources that are looked through. The files say so when the simulation is ``invented``, that of the built-in world.

    Raises
    ------
    FileNotFoundError, ValueError
        As the reader of the format.
    """
    source = source_called("simulation", config.format, among)
    drivers, states, table = source.reader()(folder, driver_set, config, memory)
    about = marked(["simulation"] * invented)
    write_netcdf(drivers.assign_attrs(about), forcing)
    # large and read once: uncompressed is several times faster
    write_netcdf(states.assign_attrs(about), simulation, compress=False)
    write_table(table, provenance)
    read = {str(row.file): (source.name, str(row.product)) for row in table.itertuples()}
    accounts = accounts_of_folder(folder, read, known=source)
    tell(log, "simulation", accounts, sources)
    log.info("%d cells, %d ages, %d files", states.sizes["cell"], states.sizes["age"], len(table))
