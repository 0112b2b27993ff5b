"""Write the configuration that the run used."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.workflow.resolved_config import write_resolved
from dere.workflow.script import logged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0], snakemake.params.code):
    write_resolved(
        snakemake.params.config,
        snakemake.params.leaves,
        Path(snakemake.output.text),
        Path(snakemake.output.page),
    )
