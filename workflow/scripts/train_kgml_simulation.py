"""KGML, pre-training on the simulation."""

from typing import TYPE_CHECKING

from dere.training.single import train_simulation
from dere.workflow.devices import on_devices
from dere.workflow.rule_job import rule_job
from dere.workflow.script import logged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0], snakemake.params.code):
    job = rule_job(snakemake)
    on_devices(train_simulation, job, gpu=job.gpu)
