"""Write what every job cost."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.workflow.cost import write_cost
from dere.workflow.running import running

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake):
    write_cost([Path(path) for path in snakemake.input.jobs], Path(snakemake.output.cost))
