"""Write the built-in world's raw files."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.config.world import WorldConfig
from dere.workflow.script import logged
from dere.world.build import build_world

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0], snakemake.params.code):
    build_world(WorldConfig(**snakemake.params.config), Path(snakemake.output.simulation).parent)
