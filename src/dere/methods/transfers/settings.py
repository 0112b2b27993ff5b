"""Settings of the transfers that change how the simulation is learned."""

from __future__ import annotations

from pydantic import Field

from dere.config.per_age_training import PerAgeTrainingConfig


class AlignedConfig(PerAgeTrainingConfig):
    """Pre-training in which simulated and observed places are to look alike."""

    reversal: float = Field(1.0, ge=0)
    """How strongly the reversed gradient of the discriminator acts at the end (0 = it only watches)."""


class WeightedConfig(PerAgeTrainingConfig):
    """Pre-training in which simulated series that resemble towers count more."""

    steepness: float = Field(5.0, ge=0)
    """Power by which the weight of a simulated series falls with its distance to the towers (0 = all alike)."""
