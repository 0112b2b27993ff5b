"""``climatology``: the mean seasonal cycle of a place's class and climate."""

from __future__ import annotations

from dere.methods.base import Method, Stage

STAGES = (
    Stage(
        name="climatology",
        about="Mean seasonal cycles of the training towers.",
        fit="dere.methods.climatology.cycles:fit",
        reads=("towers",),
        per_backbone=False,
        env="data",
        gpu=0,
        memory=4000,
        runtime=15,
    ),
)
METHODS = (
    Method(
        name="climatology",
        label="climatology",
        colour="#8c8c8c",
        rank=10,
        predict="dere.methods.climatology.cycles:predict",
        stages=("climatology",),
        predicts_from=("climatology",),
        per_backbone=False,
        line=(0, (5, 1.5, 1, 1.5)),
        env="data",
        memory=4000,
    ),
)
