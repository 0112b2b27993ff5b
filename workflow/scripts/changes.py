"""Write what the run dropped, filled or replaced."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.workflow.changes import write_changes
from dere.workflow.running import running
from dere.workflow.script import named_files

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake):
    table, page = Path(snakemake.output.table), Path(snakemake.output.page)
    write_changes(named_files(snakemake), snakemake.params.exchange, table, page)
