"""Configuration of stages and their training."""

from __future__ import annotations

from pydantic import Field

from dere.config.base import Section


class TrainingConfig(Section):
    """One training run; the loop is the same for every stage."""

    epochs: int = Field(10, ge=1)
    """Largest number of epochs."""
    steps_per_epoch: int = Field(20, ge=1)
    """Random draws per epoch: an epoch is a fixed amount of work, not a sweep."""
    batch: int = Field(16, ge=1)
    """Windows per step."""
    learning_rate: float = Field(2e-3, gt=0)
    """Peak learning rate; warm-up, then cosine decay."""
    weight_decay: float = Field(1e-4, ge=0)
    """Decoupled weight decay (AdamW)."""
    patience: int = Field(4, ge=1)
    """Epochs without better validation loss before stopping."""
    gradient_clip: float = Field(1.0, gt=0)
    """Largest gradient norm."""
    average: float = Field(0.0, ge=0, lt=1)
    """Decay per step of a running average of the weights, which is validated and kept (0 = the weights themselves)."""
    bf16: bool = False
    """Forward pass of training steps in bfloat16; weights, validation and predictions stay in float32."""
    compile: bool = False
    """torch.compile for the sequence networks while they train (not imputation); without a C++ compiler a warning."""


class PerAgeTrainingConfig(TrainingConfig):
    """Training on single stand ages of the simulation."""

    ages_per_step: int = Field(4, ge=1)
    """Stand ages drawn per window and step."""


class Candidate(Section):
    """Settings tried beside others; the validation towers of each fold choose."""

    learning_rate: float = Field(gt=0)
    """Peak learning rate."""
    pull: float = Field(ge=0)
    """L2 pull of the weights to the simulation-trained ones."""
    dropout: float | None = Field(None, ge=0, lt=1)
    """Dropout share of the sequence networks while training on towers (null = that of the stage)."""


class TowerTrainingConfig(TrainingConfig):
    """Training on towers."""

    candidates: tuple[Candidate, ...] = ()
    """Trained one after the other in place of learning_rate, pull and dropout; validation chooses (empty = one)."""
    pull: float = Field(0.03, ge=0)
    """L2 pull of the weights to the simulation-trained ones."""
    dropout: float | None = Field(None, ge=0, lt=1)
    """Dropout share everywhere in the sequence networks while training on towers (null = as in networks)."""
    refit: bool = False
    """Train the chosen setting once more, for as long, on training and validation towers together (as trees are)."""
    balance: float = Field(0.5, ge=0, le=1)
    """0 = every month counts alike; 1 = errors count relative to each tower's own variability."""
