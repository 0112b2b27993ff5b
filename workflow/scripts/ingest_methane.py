"""Read simulated methane in files."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.ingest.source import of_modules
from dere.workflow.ingest_methane import ingest_methane
from dere.workflow.running import running

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake):
    ingest_methane(
        Path(snakemake.params.folder),
        snakemake.params.provider,
        *map(Path, snakemake.output),
        of_modules(snakemake.params.sources),
    )
