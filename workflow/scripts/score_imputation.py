"""Stage 5, scores on hidden months."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.config.imputation import ImputationConfig
from dere.workflow.score_imputation import write_scores
from dere.workflow.script import logged, named_files

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0], snakemake.params.code):
    write_scores(
        named_files(snakemake),
        [Path(path) for path in snakemake.input.manifests],
        Path(snakemake.output.imputation),
        ImputationConfig(**snakemake.params.config),
    )
