"""``gbm`` and ``gbm_sim``: tuned LightGBM on the inputs of the networks, without and with the simulation."""

from __future__ import annotations

from dere.methods.base import Method, Stage
from dere.methods.trees.settings import TreesConfig


def _stage(name: str, about: str) -> Stage:
    return Stage(
        name=name,
        about=about,
        fit=f"dere.methods.trees.fitting:fit_{name}",
        reads=("towers",),
        section=TreesConfig(),
        settings="trees",
        per_backbone=False,
        threads="threads",
        env="data",
        gpu=0,
        memory=4000,
        runtime=120,
        members=True,
        shortened="dere.methods.shortened_trees:shortened",
    )


STAGES = (_stage("gbm", "Trees on towers alone."), _stage("gbm_sim", "Trees that also see the simulation."))
METHODS = (
    Method(
        name="gbm",
        label="trees",
        colour="#56b4e9",
        rank=30,
        predict="dere.methods.trees.predicting:predict_gbm",
        compared=True,
        stages=("gbm",),
        predicts_from=("gbm",),
        per_backbone=False,
        line=(0, (4, 1.5)),
        env="data",
        memory=4000,
    ),
    Method(
        name="gbm_sim",
        label="trees + simulation",
        colour="#0072b2",
        rank=40,
        predict="dere.methods.trees.predicting:predict_gbm_sim",
        stages=("gbm_sim",),
        predicts_from=("gbm_sim",),
        per_backbone=False,
        exchanges=("co2",),
        reads_places=("simulated",),
        reference=True,
        line="solid",
        env="data",
        memory=4000,
    ),
)
