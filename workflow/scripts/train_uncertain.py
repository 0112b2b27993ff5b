"""Stage 6, towers with expanded labels."""

from typing import TYPE_CHECKING

from dere.training.uncertain import train
from dere.workflow.devices import on_devices
from dere.workflow.script import logged, rule_arguments

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    on_devices(train, **rule_arguments(snakemake))
