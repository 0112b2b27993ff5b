"""Configuration of trainings on single stand ages of the simulation."""

from __future__ import annotations

from pydantic import Field

from dere.config.training import TrainingConfig


class PerAgeTrainingConfig(TrainingConfig):
    """Training on single stand ages of the simulation."""

    ages_per_step: int = Field(4, ge=1)
    """Stand ages drawn per window and step."""
