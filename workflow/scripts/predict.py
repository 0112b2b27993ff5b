"""Predict sites with a fitted method."""

from typing import TYPE_CHECKING

from dere.workflow.predict import predict_sites
from dere.workflow.rule_job import rule_job
from dere.workflow.running import running

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake):
    predict_sites(rule_job(snakemake))
