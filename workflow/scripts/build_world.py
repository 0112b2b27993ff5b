"""Write the built-in world's raw files."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.config.world import WorldConfig
from dere.workflow.running import running
from dere.workflow.sums import write_sums
from dere.world.build import build_world

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake):
    build_world(WorldConfig(**snakemake.params.config), Path(snakemake.output.simulation).parent)
    write_sums(snakemake.output.sums)
