"""``simulation_fitted``: the process model with a few coefficients fitted to towers, by class."""

from __future__ import annotations

from dere.methods.base import Method, Stage

STAGES = (
    Stage(
        name="simulation_fitted",
        about="Coefficients of the simulated fluxes from the training towers.",
        fit="dere.methods.simulation_fitted.fitting:fit",
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
        name="simulation_fitted",
        label="fitted process model",
        colour="#999933",
        rank=25,
        predict="dere.methods.simulation_fitted.fitting:predict",
        stages=("simulation_fitted",),
        predicts_from=("simulation_fitted",),
        per_backbone=False,
        exchanges=("co2",),
        reads_places=("simulated",),
        line=(0, (2, 1)),
        env="data",
        memory=4000,
    ),
)
