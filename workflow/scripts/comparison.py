"""Put all methods on all backbones side by side."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.workflow.comparison import write_comparison
from dere.workflow.script import logged, named_files

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0], snakemake.params.code):
    write_comparison(
        named_files(snakemake),
        [Path(path) for path in snakemake.input.manifests],
        Path(snakemake.output.comparison),
        snakemake.params.members,
        snakemake.params.references,
        snakemake.params.exchange,
    )
