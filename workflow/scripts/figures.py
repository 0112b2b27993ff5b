"""Draw all figures."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.config.figures import FiguresConfig
from dere.workflow.figures import draw
from dere.workflow.script import logged, named_files

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0], snakemake.params.code):
    draw(
        named_files(snakemake),
        Path(snakemake.output[0]).parent,
        FiguresConfig(**snakemake.params.config),
        snakemake.params.backbone,
        methods=snakemake.params.methods,
        backbones=snakemake.params.backbones,
    )
