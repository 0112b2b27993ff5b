"""``raci``: slow conditions modulate a network on fast drivers, with what is known of neighbours retrieved by role.

Our reading of an abstract: of RACI (Sun and others 2026, arXiv 2603.03531) no full text, code, widths or losses were at
hand, so only the idea is theirs, and no number here compares with theirs. docs/deviations.md#raci says what is ours.
"""

from __future__ import annotations

from dere.config.tower_training import BUDGET
from dere.methods.base import Method, Stage
from dere.methods.raci.settings import RaciSimulationConfig, RaciTowerConfig

STAGES = (
    Stage(
        name="raci_simulation",
        about="RACI: pre-training on simulated mixtures, with neighbours among simulated cells.",
        fit="dere.methods.raci.training:fit_simulation",
        reads=("drivers", "simulation", "cover", "statistics"),
        section=RaciSimulationConfig(epochs=12, steps_per_epoch=25, patience=6),
        whole_input=True,
    ),
    Stage(
        name="raci",
        about="RACI: training on towers, with neighbours among towers and simulated cells.",
        fit="dere.methods.raci.training:fit_towers",
        reads=("towers", "statistics"),
        parents=("raci_simulation",),
        agrees=("retrieval", "code", "neighbours"),
        section=RaciTowerConfig(**BUDGET),
        members=True,
    ),
)
METHODS = (
    Method(
        name="raci",
        label="RACI, our reading",
        colour="#88ccee",
        rank=65,
        predict="dere.methods.raci.predicting:predict",
        stages=("raci_simulation", "raci"),
        predicts_from=("raci",),
        exchanges=("co2",),
        gives=("neighbour",),
        by_name=True,
        references=("arXiv 2603.03531",),
        marker="h",
    ),
)
