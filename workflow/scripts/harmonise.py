"""Make the canonical set."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.workflow.harmonise import harmonise_files
from dere.workflow.running import running
from dere.workflow.script import memory_of, named_files

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake):
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
        known=Path(snakemake.output.known_sites),
    )
