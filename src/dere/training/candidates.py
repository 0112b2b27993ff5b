"""Settings of a tower stage that each fold chooses by its own validation towers."""

from __future__ import annotations

from typing import TypeVar

from dere.config.tower_training import TowerTrainingConfig

Towers = TypeVar("Towers", bound=TowerTrainingConfig)


def options(config: Towers) -> list[Towers]:
    """One complete setting per candidate; the stage's own where there is none."""
    own = config.model_copy(update={"candidates": ()})
    return [own.model_copy(update=candidate.model_dump(exclude_none=True)) for candidate in config.candidates] or [own]
