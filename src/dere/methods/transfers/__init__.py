"""Ways from a simulation to towers beside fine-tuning (``kgml``), on the same network; for every exchange simulated.

Each is a method of its own, so that one run compares them (docs/decisions/0027-transfers.md).
"""

from __future__ import annotations

from dere.config.tower_training import BUDGET, TowerTrainingConfig
from dere.methods.base import Method, Stage
from dere.methods.single_settings import SingleTowerConfig
from dere.methods.transfers.settings import AlignedConfig, WeightedConfig

_SHORT = {"epochs": 12, "steps_per_epoch": 25, "patience": 6}
"""Length of a pre-training, that of ``kgml_simulation``."""
_CELLS = ("drivers", "simulation", "cover", "towers", "statistics")
_TOWERS = ("towers", "statistics")

STAGES = (
    Stage(
        name="kgml_residual",
        about="A network of what the pre-trained one, frozen, gets wrong at towers.",
        fit="dere.methods.transfers.guided:fit_residual",
        reads=_TOWERS,
        parents=("kgml_simulation",),
        section=TowerTrainingConfig(**BUDGET),
        members=True,
    ),
    Stage(
        name="kgml_stack",
        about="The network on towers with the prediction of the pre-trained one, frozen, among its inputs.",
        fit="dere.methods.transfers.guided:fit_stack",
        reads=_TOWERS,
        parents=("kgml_simulation",),
        section=TowerTrainingConfig(**BUDGET),
        members=True,
    ),
    Stage(
        name="kgml_aligned",
        about="Pre-training with a discriminator, against which simulated and observed places are to look alike.",
        fit="dere.methods.transfers.aligned:fit",
        reads=_CELLS,
        section=AlignedConfig(**_SHORT),
    ),
    Stage(
        name="kgml_adversarial",
        about="Fine-tuning on towers after the pre-training with a discriminator.",
        fit="dere.methods.transfers.tuned:fit_adversarial",
        reads=_TOWERS,
        parents=("kgml_aligned",),
        section=SingleTowerConfig(**BUDGET),
        members=True,
    ),
    Stage(
        name="kgml_weighted",
        about="Pre-training in which simulated series that resemble the towers learned from count more.",
        fit="dere.methods.transfers.weighted:fit",
        reads=_CELLS,
        section=WeightedConfig(**_SHORT),
        whole_input=True,
        members=True,
    ),
    Stage(
        name="kgml_reweight",
        about="Fine-tuning on towers after the weighted pre-training.",
        fit="dere.methods.transfers.tuned:fit_reweight",
        reads=_TOWERS,
        parents=("kgml_weighted",),
        section=SingleTowerConfig(**BUDGET),
        members=True,
    ),
)
METHODS = (
    Method(
        name="kgml_residual",
        label="KGML, residual",
        colour="#44aa99",
        rank=61,
        predict="dere.methods.transfers.guided:predict_residual",
        stages=("kgml_simulation", "kgml_residual"),
        predicts_from=("kgml_simulation", "kgml_residual"),
        simulated=True,
        by_name=True,
        marker="8",
    ),
    Method(
        name="kgml_stack",
        label="KGML, stacked",
        colour="#117733",
        rank=62,
        predict="dere.methods.transfers.guided:predict_stack",
        stages=("kgml_simulation", "kgml_stack"),
        predicts_from=("kgml_simulation", "kgml_stack"),
        simulated=True,
        by_name=True,
        marker="d",
    ),
    Method(
        name="kgml_adversarial",
        label="KGML, adversarial",
        colour="#cc6677",
        rank=63,
        predict="dere.methods.transfers.tuned:predict_adversarial",
        stages=("kgml_aligned", "kgml_adversarial"),
        predicts_from=("kgml_adversarial",),
        simulated=True,
        by_name=True,
        references=("Ganin and Lempitsky 2015, arXiv 1409.7495",),
        marker="X",
    ),
    Method(
        name="kgml_reweight",
        label="KGML, re-weighted",
        colour="#6699cc",
        rank=64,
        predict="dere.methods.transfers.tuned:predict_reweight",
        stages=("kgml_weighted", "kgml_reweight"),
        predicts_from=("kgml_reweight",),
        simulated=True,
        by_name=True,
        marker="p",
    ),
)
