"""The same network on towers alone."""

from typing import TYPE_CHECKING

from dere.training.single import train_towers
from dere.workflow.devices import on_devices
from dere.workflow.script import logged, rule_arguments

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    on_devices(train_towers, "baseline", **rule_arguments(snakemake))
