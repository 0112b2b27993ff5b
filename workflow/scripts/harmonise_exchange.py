"""Make towers and splits of a further exchange."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.workflow.harmonise_exchange import harmonise_exchange_files
from dere.workflow.running import running
from dere.workflow.script import memory_of, named_files

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake):
    harmonise_exchange_files(
        named_files(snakemake),
        Path(snakemake.output.towers).parent,
        {**snakemake.params.config, "exchange": snakemake.params.exchange},
        code=snakemake.params.code,
        memory=memory_of(snakemake),
    )
