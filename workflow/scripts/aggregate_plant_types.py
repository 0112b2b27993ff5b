"""Aggregate one year's 300 m plant-type map."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.workflow.aggregate_plant_types import aggregate_plant_types
from dere.workflow.running import running

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake):
    aggregate_plant_types(Path(snakemake.input.map), Path(snakemake.output[0]), snakemake.params.config)
