"""Settings of the stages of DERE that learn from towers."""

from __future__ import annotations

from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from dere.config.tower_training import TowerTrainingConfig

Head = Literal["stands", "physics", "both"]
Part = Literal["competition", "plant_types", "level"]


class DereTowerConfig(TowerTrainingConfig):
    """Training of DERE on towers."""

    adapters: bool = True
    """Small trainable adapters on the outputs of the pure stands (false = as published)."""
    head: Head = "both"
    """What the sum of the stands is mixed with: stands = nothing, as published; both = potentials of GPP, Ra and Rh by
    a gate that is learned; physics = the potentials alone (not DERE, a comparison)."""
    frozen: tuple[Part, ...] = ()
    """Parts of the network that towers do not change; the pure stands are always frozen."""

    @property
    def reads_channels(self) -> bool:
        """Whether the knowledge channels are needed."""
        return self.head != "stands"

    @model_validator(mode="after")
    def _something_learns(self) -> Self:
        if not self.adapters and set(self.frozen) == set(get_args(Part)):
            raise ValueError(
                f"adapters is false and frozen names every part ({', '.join(self.frozen)}), so that nothing is left to "
                "train; take a part from frozen, or set adapters to true"
            )
        return self


class ObservedMonthsConfig(DereTowerConfig):
    """Training of stage 4, on observed months."""

    model_error: float | None = Field(None, gt=0)
    """Labels weigh by the inverse of the variance of their stated random error plus that of the model, whose standard
    deviation is this share of the flux's (null = by their quality alone)."""
