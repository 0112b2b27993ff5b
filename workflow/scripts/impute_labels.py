"""Stage 5, expanded labels."""

from typing import TYPE_CHECKING

from dere.workflow.impute_labels import write_labels
from dere.workflow.measured import measured
from dere.workflow.rule_job import rule_job
from dere.workflow.running import running

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake), measured(snakemake.output.measured):
    write_labels(rule_job(snakemake))
