"""Stage 5, scores on hidden months."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.config.imputation import ImputationConfig
from dere.workflow.running import running
from dere.workflow.score_imputation import write_scores
from dere.workflow.script import named_files

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake):
    write_scores(
        named_files(snakemake),
        [Path(path) for path in snakemake.input.manifests],
        Path(snakemake.output.imputation),
        ImputationConfig(**snakemake.params.config),
        [Path(path) for path in snakemake.input.get("labels", [])],
    )
