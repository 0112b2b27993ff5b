"""Write what every job cost."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.workflow.cost import write_cost
from dere.workflow.script import logged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0], snakemake.params.code):
    write_cost([Path(path) for path in snakemake.input.jobs], Path(snakemake.output.cost))
