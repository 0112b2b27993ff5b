"""Put all methods on all backbones side by side."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.workflow.comparison import write_comparison
from dere.workflow.running import running
from dere.workflow.script import named_files

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake):
    write_comparison(
        named_files(snakemake),
        [Path(path) for path in snakemake.input.manifests],
        {name: Path(path) for name, path in snakemake.output.items()},
        snakemake.params.members,
        snakemake.params.references,
        snakemake.params.exchange,
    )
