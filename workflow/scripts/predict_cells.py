"""Predict maps with a fitted method."""

from typing import TYPE_CHECKING

from dere.workflow.measured import measured
from dere.workflow.predict_cells import predict_cells
from dere.workflow.rule_job import rule_job
from dere.workflow.running import running

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake), measured(snakemake.output.measured):
    predict_cells(rule_job(snakemake))
