"""Draw all figures."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.config.figures import FiguresConfig
from dere.workflow.figures import draw
from dere.workflow.running import running
from dere.workflow.script import named_files

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake):
    draw(
        named_files(snakemake),
        Path(snakemake.output[0]).parent,
        FiguresConfig(**snakemake.params.config),
        snakemake.params.backbone,
        methods=snakemake.params.methods,
        backbones=snakemake.params.backbones,
    )
