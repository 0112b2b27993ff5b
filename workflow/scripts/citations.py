"""Write what a user of the run must cite."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.workflow.citations import write_citations
from dere.workflow.running import running

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake):
    write_citations(Path(snakemake.input.provenance), Path(snakemake.output.citations))
