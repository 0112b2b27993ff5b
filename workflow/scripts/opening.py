"""Write the first page of a run."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.workflow.opening import write_opening
from dere.workflow.running import running
from dere.workflow.script import named_files

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake):
    files = named_files(snakemake)
    products = files.pop("products")
    write_opening(
        files,
        Path(snakemake.output.page),
        Path(snakemake.output.part),
        snakemake.params.facts,
        snakemake.params.links,
        snakemake.params.others,
        sorted(products.iterdir()),
    )
