"""KGML, pre-training on the simulation."""

from typing import TYPE_CHECKING

from dere.training.single import train_simulation
from dere.workflow.devices import on_devices
from dere.workflow.script import logged, rule_arguments

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    on_devices(train_simulation, **rule_arguments(snakemake))
