"""Join folds and seeds of each method."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.workflow.ensemble import write_ensembles
from dere.workflow.running import running

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake):
    write_ensembles([Path(path) for path in snakemake.input.predictions], [Path(path) for path in snakemake.output])
