"""Stage 5, towers with their gaps filled."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.config.imputation import ImputationConfig
from dere.workflow.fill_towers import write_filled
from dere.workflow.running import running
from dere.workflow.script import named_files

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake):
    write_filled(
        named_files(snakemake),
        [Path(path) for path in snakemake.input.labels],
        Path(snakemake.input.manifest).parent,
        Path(snakemake.output.monthly).parent,
        ImputationConfig(**snakemake.params.config),
    )
