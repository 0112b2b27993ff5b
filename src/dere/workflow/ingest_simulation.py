"""Read a process-model simulation and write its forcing and its states as interim files."""

from __future__ import annotations

import logging
from pathlib import Path

from dere.ingest.carbonglobe import read_simulation
from dere.ingest.provenance import provenance_of
from dere.io import write_netcdf, write_table

log = logging.getLogger(__name__)


def ingest_simulation(
    folder: Path, driver_set: str, forcing: Path, simulation: Path, provenance: Path, memory: int | None = None
) -> None:
    """Write ``forcing``, ``simulation`` and the table of the files behind them, within ``memory`` bytes.

    Raises
    ------
    FileNotFoundError, ValueError
        As ``dere.ingest.carbonglobe.read_simulation``.
    """
    drivers, states = read_simulation(folder, driver_set, memory)
    write_netcdf(drivers, forcing)
    # large and read once: uncompressed is several times faster
    write_netcdf(states, simulation, compress=False)
    files = [path for path in folder.iterdir() if path.suffix in (".npy", ".json", ".nc")]
    write_table(provenance_of({"carbonglobe": files}), provenance)
    log.info("%d cells, %d ages, %d files", states.sizes["cell"], states.sizes["age"], len(files))
