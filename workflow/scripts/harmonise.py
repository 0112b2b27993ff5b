"""Make the canonical set."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.workflow.harmonise import harmonise_files
from dere.workflow.script import logged, memory_of, named_files

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0], snakemake.params.code):
    files = named_files(snakemake)
    harmonise_files(
        files,
        files.get("truth"),
        Path(snakemake.output.drivers).parent,
        Path(snakemake.output.provenance),
        Path(snakemake.output.odd_months),
        snakemake.params.config,
        code=snakemake.params.code,
        memory=memory_of(snakemake),
    )
