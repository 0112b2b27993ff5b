"""Write the configuration that the run used."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.workflow.resolved_config import write_resolved
from dere.workflow.running import running

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake):
    write_resolved(
        snakemake.params.config,
        snakemake.params.leaves,
        Path(snakemake.output.text),
        Path(snakemake.output.page),
    )
