"""Read the process-model simulation."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.config.simulation import SimulationSource
from dere.ingest.source import of_modules
from dere.workflow.ingest_simulation import ingest_simulation
from dere.workflow.running import running
from dere.workflow.script import memory_of

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake):
    ingest_simulation(
        Path(snakemake.params.folder or snakemake.input.files[0]),
        snakemake.params.driver_set,
        SimulationSource(**snakemake.params.config),
        *map(Path, snakemake.output),
        memory_of(snakemake),
        of_modules(snakemake.params.sources),
        invented=not snakemake.params.folder,
    )
