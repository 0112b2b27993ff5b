"""Predict with the method gbm_sim."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.config.evaluation import TreesConfig
from dere.workflow.predict_trees import predict_trees
from dere.workflow.script import logged, named_files

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0], snakemake.params.code):
    predict_trees(
        named_files(snakemake),
        Path(snakemake.output.prediction),
        Path(snakemake.output.settings),
        TreesConfig(**snakemake.params.config, threads=snakemake.threads),
        fold=int(snakemake.wildcards.fold),
        seed=int(snakemake.wildcards.seed),
        minimum_quality=snakemake.params.minimum_quality,
        simulated=True,
    )
