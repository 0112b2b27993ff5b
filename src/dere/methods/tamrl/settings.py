"""Settings of the stages of TAM-RL."""

from __future__ import annotations

from pydantic import Field

from dere.config.tower_training import TowerTrainingConfig


class TamrlConfig(TowerTrainingConfig):
    """Training of TAM-RL on towers."""

    code: int = Field(32, ge=1)
    """Numbers that describe a site to the network; the same in both stages."""
