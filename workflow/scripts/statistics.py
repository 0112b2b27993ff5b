"""Write the statistics of one fold."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.workflow.script import logged, memory_of, named_files
from dere.workflow.statistics import write_statistics

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0], snakemake.params.code):
    write_statistics(
        named_files(snakemake),
        int(snakemake.wildcards.fold),
        Path(snakemake.output.statistics),
        {**snakemake.params.config, "exchange": snakemake.params.exchange},
        memory_of(snakemake),
        code=snakemake.params.code,
    )
