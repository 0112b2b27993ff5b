"""``simulation``: the raw process model at a place, without learning; what the simulation alone is worth."""

from __future__ import annotations

from dere.methods.base import Method

METHODS = (
    Method(
        name="simulation",
        label="process model",
        colour="#e69f00",
        rank=20,
        predict="dere.methods.simulation.raw:predict",
        per_backbone=False,
        exchanges=("co2",),
        reads_places=("simulated",),
        compared=True,
        line=(0, (1, 1.2)),
        env="data",
        memory=4000,
    ),
)
