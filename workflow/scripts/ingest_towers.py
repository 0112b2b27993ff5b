"""Read all tower files."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.config.sources import TowerSource
from dere.workflow.ingest_towers import ingest_towers
from dere.workflow.script import logged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    config = TowerSource(**snakemake.params.config)
    folders = config.paths or snakemake.input.files
    ingest_towers([Path(folder) for folder in folders], config, *map(Path, snakemake.output))
