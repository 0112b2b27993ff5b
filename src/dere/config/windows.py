"""Configuration of what networks see of a place: the part of the section harmonise that training reads."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dere.config.base import Section


class WindowConfig(Section):
    """Windows, channels and label quality; ``harmonise`` has these settings among its own."""

    satellites: bool = True
    """Add LAI and EVI channels with a mask; where no source has them they are constants, so false is better there."""
    channels: Literal["none", "knowledge", "causal"] = "knowledge"
    """Channels made of the drivers (docs/knowledge.md): none, all that the run's satellites allow, or those that do not
    look ahead."""
    window: int = Field(120, ge=12)
    """Months of a network window."""
    window_stride: int = Field(60, ge=1)
    """Months between the starts of a long record's windows; the last window ends with the record."""
    minimum_training_quality: float = Field(0.5, ge=0, le=1)
    """Months below this share of measured or well-filled data have no training label."""
