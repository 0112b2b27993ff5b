"""Write from which neighbours each tower was predicted."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.workflow.neighbours import write_neighbours
from dere.workflow.running import running

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake):
    write_neighbours([Path(path) for path in snakemake.input.predictions], Path(snakemake.output.neighbours))
