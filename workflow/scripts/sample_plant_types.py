"""Read plant types at towers from the 300 m maps."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.workflow.running import running
from dere.workflow.sample_plant_types import sample_plant_types

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake):
    maps = [Path(path) for path in snakemake.input.maps]
    sample_plant_types(maps, Path(snakemake.input.towers), Path(snakemake.output[0]), snakemake.params.config)
