"""Settings of the stages of RACI."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dere.config.per_age_training import PerAgeTrainingConfig
from dere.config.tower_training import TowerTrainingConfig

Retrieval = Literal["all", "random", "none"]


class RaciSimulationConfig(PerAgeTrainingConfig):
    """Pre-training of RACI on the simulation."""

    retrieval: Retrieval = "all"
    """all = neighbours by role; random = as many drawn at random; none = no neighbours. The same in both stages."""
    code: int = Field(48, ge=1)
    """Numbers that describe the slow conditions of a place; the same in both stages."""
    neighbours: int = Field(8, ge=1)
    """Neighbours of each role among towers, and among cells; the same in both stages."""


class RaciTowerConfig(TowerTrainingConfig):
    """Training of RACI on towers."""

    retrieval: Retrieval = "all"
    """all = neighbours by role; random = as many drawn at random; none = no neighbours. The same in both stages."""
    code: int = Field(48, ge=1)
    """Numbers that describe the slow conditions of a place; the same in both stages."""
    neighbours: int = Field(8, ge=1)
    """Neighbours of each role among towers, and among cells; the same in both stages."""
