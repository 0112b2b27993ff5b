"""Stage 5, imputation."""

from typing import TYPE_CHECKING

from dere.workflow.devices import on_devices
from dere.workflow.measured import measured
from dere.workflow.rule_job import rule_job
from dere.workflow.running import running
from dere.workflow.train_imputation import train

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake), measured(snakemake.output.measured):
    job = rule_job(snakemake)
    on_devices(train, job, gpu=job.gpu)
