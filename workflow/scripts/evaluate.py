"""Judge all predictions."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.config.evaluation import EvaluationConfig
from dere.workflow.evaluate import evaluate
from dere.workflow.running import running
from dere.workflow.script import named_files

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake):
    evaluate(
        [Path(path) for path in [*snakemake.input.predictions, *snakemake.input.ensembles]],
        named_files(snakemake),
        {name: Path(path) for name, path in snakemake.output.items()},
        EvaluationConfig(**snakemake.params.config),
        snakemake.params.product,
        snakemake.params.fold,
        snakemake.params.exchange,
        snakemake.params.ranks,
    )
