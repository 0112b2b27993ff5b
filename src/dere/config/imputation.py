"""Configuration of the probabilistic label expansion."""

from __future__ import annotations

from pydantic import Field

from dere.config.base import Section
from dere.config.training import TrainingConfig


class ImputationConfig(Section):
    """Conditional diffusion on (NEE, RECO)."""

    channels: int = Field(32, ge=4)
    """Width of the denoiser."""
    layers: int = Field(3, ge=1)
    """Residual blocks."""
    heads: int = Field(4, ge=1)
    """Attention heads along time."""
    diffusion_steps: int = Field(50, ge=2)
    """Steps of the forward process."""
    sampling_steps: int = Field(15, ge=1)
    """Network calls per sample."""
    samples: int = Field(50, ge=2)
    """Trajectories per site, drawn in one batch."""
    margin_months: int = Field(12, ge=0)
    """Months before and after a record that get labels too."""
    training: TrainingConfig = TrainingConfig()
    """Training of the denoiser."""
