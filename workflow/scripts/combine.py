"""Predict sites with a method over methods."""

from typing import TYPE_CHECKING

from dere.workflow.combine import combine_sites
from dere.workflow.measured import measured
from dere.workflow.rule_job import rule_job
from dere.workflow.running import running

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake), measured(snakemake.output.measured):
    combine_sites(rule_job(snakemake))
