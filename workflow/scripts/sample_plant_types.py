"""Read plant types at towers from the 300 m maps."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.workflow.sample_plant_types import sample_plant_types
from dere.workflow.script import logged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0], snakemake.params.code):
    maps = [Path(path) for path in snakemake.input.maps]
    sample_plant_types(maps, Path(snakemake.input.towers), Path(snakemake.output[0]), snakemake.params.config)
