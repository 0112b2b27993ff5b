"""``kgml``: knowledge-guided machine learning, a network pre-trained on the simulation and fine-tuned on towers."""

from __future__ import annotations

from dere.config.per_age_training import PerAgeTrainingConfig
from dere.config.tower_training import BUDGET
from dere.methods.base import Method, Stage
from dere.methods.single_settings import SingleTowerConfig

STAGES = (
    Stage(
        name="kgml_simulation",
        about="KGML: pre-training on simulated mixtures.",
        fit="dere.methods.kgml.network:fit_simulation",
        reads=("drivers", "simulation", "cover", "statistics"),
        section=PerAgeTrainingConfig(epochs=12, steps_per_epoch=25, patience=6),
    ),
    Stage(
        name="kgml_towers",
        about="KGML: fine-tuning on towers.",
        fit="dere.methods.kgml.network:fit_towers",
        reads=("towers", "statistics"),
        parents=("kgml_simulation",),
        section=SingleTowerConfig(**BUDGET),
        members=True,
    ),
)
METHODS = (
    Method(
        name="kgml",
        label="KGML",
        colour="#009e73",
        rank=60,
        predict="dere.methods.kgml.network:predict",
        stages=("kgml_simulation", "kgml_towers"),
        predicts_from=("kgml_towers",),
        simulated=True,
        reference=True,
        marker="^",
    ),
)
