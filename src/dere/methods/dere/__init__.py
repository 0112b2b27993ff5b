"""DERE: pure stands, competition, plant types and towers, trained in stages (docs/method.md).

``dere_towers`` predicts after stage 4, ``dere`` after stage 6, which learns from the labels that the imputation adds.
"""

from __future__ import annotations

from dere.config.per_age_training import PerAgeTrainingConfig
from dere.config.tower_training import BUDGET
from dere.config.training import TrainingConfig
from dere.methods.base import Method, Stage
from dere.methods.dere.settings import DereTowerConfig, ObservedMonthsConfig

_SIMULATION = ("drivers", "simulation", "cover", "statistics")
_TO_STAGE_4 = ("pure", "mixture", "age", "plant_types_simulated", "plant_types_observed", "towers")

_PAPER = "https://doi.org/10.1145/3770855.3818927"

STAGES = (
    Stage(
        name="pure",
        about="Stage 1: pure stands.",
        fit="dere.methods.dere.pure:fit",
        reads=_SIMULATION,
        section=PerAgeTrainingConfig(epochs=12, steps_per_epoch=25, patience=6),
        priority=10,
    ),
    Stage(
        name="mixture",
        about="Stage 1: mixtures and competition.",
        fit="dere.methods.dere.competition:fit_mixture",
        reads=_SIMULATION,
        parents=("pure",),
        section=PerAgeTrainingConfig(epochs=8, steps_per_epoch=25),
        priority=10,
    ),
    Stage(
        name="age",
        about="Stage 2: competition over the age distribution.",
        fit="dere.methods.dere.competition:fit_age",
        reads=_SIMULATION,
        parents=("pure", "mixture"),
        section=TrainingConfig(epochs=4, learning_rate=1e-3),
        priority=10,
    ),
    Stage(
        name="plant_types_simulated",
        about="Stage 3.1: plant types per age from the simulation.",
        fit="dere.methods.dere.plant_types:fit_simulated",
        reads=_SIMULATION,
        section=PerAgeTrainingConfig(epochs=4),
    ),
    Stage(
        name="plant_types_observed",
        about="Stage 3.2: plant types from observed maps.",
        fit="dere.methods.dere.plant_types:fit_observed",
        reads=_SIMULATION,
        parents=("plant_types_simulated",),
        section=TrainingConfig(epochs=6, steps_per_epoch=10, learning_rate=1e-3),
    ),
    Stage(
        name="towers",
        about="Stage 4: observed months of the towers.",
        fit="dere.methods.dere.towers:fit",
        reads=("towers", "statistics"),
        parents=("pure", "age", "plant_types_observed"),
        section=ObservedMonthsConfig(**BUDGET, frozen=("plant_types",)),
        members=True,
        priority=10,
    ),
    Stage(
        name="uncertain",
        about="Stage 6: observed and imputed months, weighted by their uncertainty.",
        fit="dere.methods.dere.uncertain:fit",
        reads=("towers", "statistics", "labels"),
        parents=("pure", "towers"),
        agrees=("adapters", "head"),
        section=DereTowerConfig(**{**BUDGET, "epochs": 5, "learning_rate": 1e-3}, frozen=("plant_types",)),
        members=True,
    ),
)
METHODS = (
    Method(
        name="dere_towers",
        label="DERE, stage 4",
        colour="#882255",
        rank=70,
        predict="dere.methods.dere.predict:predict_towers",
        stages=_TO_STAGE_4,
        predicts_from=("pure", "towers"),
        marker="D",
        exchanges=("co2",),
        gives=("plant_fraction",),
        references=(_PAPER,),
    ),
    Method(
        name="dere",
        label="DERE, stage 6",
        colour="#d55e00",
        rank=80,
        predict="dere.methods.dere.predict:predict_uncertain",
        compared=True,
        stages=(*_TO_STAGE_4, "uncertain"),
        predicts_from=("pure", "uncertain"),
        marker="o",
        exchanges=("co2",),
        gives=("plant_fraction",),
        references=(_PAPER,),
    ),
)
