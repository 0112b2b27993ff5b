"""Fit one stage of a method."""

from importlib import import_module
from typing import TYPE_CHECKING

from dere.workflow.measured import measured
from dere.workflow.rule_job import rule_job
from dere.workflow.running import running
from dere.workflow.train import stage_of, train

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake), measured(snakemake.output.measured):
    job = rule_job(snakemake)
    if stage_of(job).env == "train":
        import_module("dere.workflow.devices").on_devices(train, job, gpu=job.gpu)
    else:
        train(job)
