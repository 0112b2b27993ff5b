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
