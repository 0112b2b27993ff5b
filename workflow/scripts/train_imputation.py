"""Stage 5, imputation."""

from typing import TYPE_CHECKING

from dere.workflow.devices import on_devices
from dere.workflow.script import logged, rule_arguments
from dere.workflow.train_imputation import train

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    on_devices(train, **rule_arguments(snakemake))
