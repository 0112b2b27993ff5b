"""Read all tower files."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from dere.config.simulation import SimulationSource
from dere.config.towers import TowerSource
from dere.ingest.source import of_modules
from dere.workflow.ingest_towers import ingest_towers
from dere.workflow.running import running

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake):
    config = TowerSource(**snakemake.params.config, **snakemake.params.limits)
    if config.provider == "dere":
        # loaded by name: the arrays are no part of the code of other runs
        arrays = import_module("dere.workflow.ingest_dere")
        arrays.ingest_towers(SimulationSource(**snakemake.params.arrays), *map(Path, snakemake.output))
    else:
        folders = [Path(folder) for folder in snakemake.params.folders or snakemake.input.files]
        ingest_towers(
            folders,
            config,
            *map(Path, snakemake.output),
            among=of_modules(snakemake.params.sources),
            invented=not snakemake.params.folders,
        )
