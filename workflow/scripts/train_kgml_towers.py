"""KGML, fine-tuning on towers."""

from typing import TYPE_CHECKING

from dere.training.single import train_towers
from dere.workflow.script import logged, training_arguments

if TYPE_CHECKING:
    from snakemake.script import snakemake

with logged(snakemake.log[0]):
    train_towers("kgml_towers", **training_arguments(snakemake))
