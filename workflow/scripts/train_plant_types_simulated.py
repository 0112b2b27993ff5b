"""Stage 3, simulated plant types."""

from typing import TYPE_CHECKING

from dere.training.plant_types import train
from dere.workflow.devices import on_devices
from dere.workflow.script import logged, rule_arguments

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    on_devices(train, observed=False, **rule_arguments(snakemake))
