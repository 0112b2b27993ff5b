"""``gp``: a Gaussian process on the features of the trees; smooth where trees step, so that their mean gains."""

from __future__ import annotations

from dere.methods.base import Method, Stage
from dere.methods.gp.settings import GpConfig

REFERENCES = ("Rasmussen and Williams 2006, Gaussian Processes for Machine Learning, sections 2.2, 4.2, 5.4",)

STAGES = (
    Stage(
        name="gp",
        about="Gaussian process on towers alone.",
        fit="dere.methods.gp.fitting:fit",
        reads=("towers",),
        section=GpConfig(),
        settings="gp",
        per_backbone=False,
        gpu=0,
        memory=4000,
        runtime=60,
    ),
)
METHODS = (
    Method(
        name="gp",
        label="Gaussian process",
        colour="#ddcc77",
        rank=45,
        predict="dere.methods.gp.predicting:predict",
        stages=("gp",),
        predicts_from=("gp",),
        per_backbone=False,
        references=REFERENCES,
        marker="P",
        line=(0, (3, 1, 1, 1, 1, 1)),
        memory=4000,
    ),
)
