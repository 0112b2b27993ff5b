"""Write what a user of the run must cite."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.workflow.citations import write_citations
from dere.workflow.script import logged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0], snakemake.params.code):
    write_citations(Path(snakemake.input.provenance), Path(snakemake.output.citations))
