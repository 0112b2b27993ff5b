"""Stage 1, mixtures and competition."""

from typing import TYPE_CHECKING

from dere.training.competition import per_age, train
from dere.workflow.devices import on_devices
from dere.workflow.script import logged, rule_arguments

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    on_devices(train, "mixture", per_age, **rule_arguments(snakemake))
