"""Settings of the stages of DERE that learn from towers."""

from __future__ import annotations

from typing import Literal

from dere.config.tower_training import TowerTrainingConfig


class DereTowerConfig(TowerTrainingConfig):
    """Training of DERE on towers."""

    adapters: bool = True
    """Small trainable adapters on the outputs of the pure stands (false = as published)."""
    frozen: tuple[Literal["competition", "plant_types", "level"], ...] = ()
    """Parts of the network that towers do not change; the pure stands are always frozen."""
