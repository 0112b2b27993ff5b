"""Settings of the stages that train the single network on towers."""

from __future__ import annotations

from typing import Literal

from dere.config.tower_training import TowerTrainingConfig


class SingleTowerConfig(TowerTrainingConfig):
    """Training of baseline and KGML on towers."""

    frozen: tuple[Literal["backbone", "level"], ...] = ()
    """Parts of the network that towers do not change."""
