"""Stage 2, competition over the age distribution."""

from typing import TYPE_CHECKING

from dere.training.competition import age_weighted, train
from dere.workflow.devices import on_devices
from dere.workflow.script import logged, rule_arguments

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    on_devices(train, "age", age_weighted, **rule_arguments(snakemake))
