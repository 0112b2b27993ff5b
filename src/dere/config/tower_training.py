"""Configuration of trainings on towers."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from dere.config.base import Section
from dere.config.training import TrainingConfig


class Candidate(Section):
    """Settings tried beside others; towers that the networks did not see choose."""

    learning_rate: float = Field(gt=0)
    """Peak learning rate."""
    pull: float = Field(ge=0)
    """L2 pull of the weights to the simulation-trained ones."""
    dropout: float | None = Field(None, ge=0, lt=1)
    """Dropout share of the sequence networks while training on towers (null = that of the stage)."""


class TowerTrainingConfig(TrainingConfig):
    """Training on towers."""

    candidates: tuple[Candidate, ...] = ()
    """Trained in turn in place of learning_rate, pull and dropout; towers not seen choose (empty = one)."""
    pull: float = Field(0.03, ge=0)
    """L2 pull of the weights to the simulation-trained ones."""
    dropout: float | None = Field(None, ge=0, lt=1)
    """Dropout share everywhere in the sequence networks while training on towers (null = as in networks)."""
    input_noise: float = Field(0.0, ge=0)
    """Gaussian noise on the normalised drivers and static attributes while training, in standard deviations."""
    refit: bool = False
    """With members = 1: train the chosen setting once more, for as long, on training and validation towers together."""
    balance: float = Field(0.5, ge=0, le=1)
    """0 = every month counts alike; 1 = errors count relative to each tower's own variability."""


BUDGET: dict[str, Any] = {
    "batch": 8,
    "weight_decay": 0.5,
    "dropout": 0.3,
    "input_noise": 0.3,
    "balance": 0.8,
    "pull": 0.0,
}
"""What every network method has on towers as it is shipped, beside the common settings (docs/decisions/0018)."""
