"""Predict with the method climatology."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.workflow.predict_climatology import predict_climatology
from dere.workflow.script import logged, named_files

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0], snakemake.params.code):
    predict_climatology(
        named_files(snakemake),
        Path(snakemake.output.prediction),
        fold=int(snakemake.wildcards.fold),
        seed=int(snakemake.wildcards.seed),
        minimum_quality=snakemake.params.minimum_quality,
    )
