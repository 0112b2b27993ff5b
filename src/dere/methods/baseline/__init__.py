"""``baseline``: the network on towers alone, without a simulation. Any exchange."""

from __future__ import annotations

from dere.config.tower_training import BUDGET
from dere.methods.base import Method, Stage
from dere.methods.single_settings import SingleTowerConfig

STAGES = (
    Stage(
        name="baseline",
        about="The network on towers alone.",
        fit="dere.methods.baseline.network:fit",
        reads=("towers", "statistics"),
        section=SingleTowerConfig(**BUDGET),
        members=True,
    ),
)
METHODS = (
    Method(
        name="baseline",
        label="network, towers only",
        colour="#cc79a7",
        rank=50,
        predict="dere.methods.baseline.network:predict",
        stages=("baseline",),
        predicts_from=("baseline",),
        reference=True,
        marker="s",
    ),
)
