"""Read all tower files."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.config.simulation import SimulationSource
from dere.config.towers import TowerSource
from dere.workflow import ingest_dere
from dere.workflow.ingest_towers import ingest_towers
from dere.workflow.script import logged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0], snakemake.params.code):
    config = TowerSource(**snakemake.params.config)
    if config.provider == "dere":
        ingest_dere.ingest_towers(SimulationSource(**snakemake.params.arrays), *map(Path, snakemake.output))
    else:
        folders = config.paths or snakemake.input.files
        ingest_towers([Path(folder) for folder in folders], config, *map(Path, snakemake.output))
