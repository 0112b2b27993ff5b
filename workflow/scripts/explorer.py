"""Write the explorer of a run."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.workflow.explorer import write_explorer
from dere.workflow.running import running
from dere.workflow.script import named_files

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake):
    files = named_files(snakemake)
    predictions = files.pop("predictions")
    write_explorer(files, predictions, Path(snakemake.output.page), snakemake.params.facts, snakemake.params.back)
