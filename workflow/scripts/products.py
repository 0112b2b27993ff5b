"""Write the public files and the list of the run's sites."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.config.products import ProductsConfig
from dere.workflow.products import products, write_sites
from dere.workflow.running import running
from dere.workflow.script import named_files
from dere.workflow.sums import write_sums

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake):
    products(
        [Path(path) for path in snakemake.input.get("cells", [])],
        [Path(path) for path in snakemake.input.get("manifests", [])],
        named_files(snakemake),
        Path(snakemake.output.products),
        ProductsConfig(**snakemake.params.config),
        code=snakemake.params.code,
        exchange=snakemake.params.exchange,
    )
    write_sums([snakemake.output.sums])
    write_sites(
        named_files(snakemake),
        Path(snakemake.output.sites),
        snakemake.params.folds,
        snakemake.params.exchange,
    )
