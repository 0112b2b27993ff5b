"""Stage 2, competition over the age distribution."""

from typing import TYPE_CHECKING

from dere.training.competition import age_weighted, train
from dere.workflow.devices import on_devices
from dere.workflow.rule_job import rule_job
from dere.workflow.script import logged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0], snakemake.params.code):
    job = rule_job(snakemake)
    on_devices(train, "age", age_weighted, job, gpu=job.gpu)
