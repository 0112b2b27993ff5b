"""Stage 1, pure stands."""

from typing import TYPE_CHECKING

from dere.training.pure import train
from dere.workflow.script import logged, training_arguments

if TYPE_CHECKING:
    from snakemake.script import snakemake

with logged(snakemake.log[0]):
    train(**training_arguments(snakemake))
