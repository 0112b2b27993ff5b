"""Write the statistics of one fold."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.config.windows import WindowConfig
from dere.workflow.running import running
from dere.workflow.script import memory_of, named_files
from dere.workflow.statistics import write_statistics

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake):
    write_statistics(
        named_files(snakemake),
        int(snakemake.wildcards.fold),
        Path(snakemake.output.statistics),
        WindowConfig(**snakemake.params.config),
        memory_of(snakemake),
        code=snakemake.params.code,
        exchange=snakemake.params.exchange,
    )
