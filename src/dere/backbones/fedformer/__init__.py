"""FEDformer (Zhou and others 2022, arXiv 2201.12740): Fourier blocks, separation of season and trend."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dere.backbones.declaration import BackboneRoom
from dere.config.network import BackboneConfig


class FEDformerConfig(BackboneConfig):
    """FEDformer: Fourier blocks and seasonal-trend decomposition."""

    modes: int = Field(32, ge=1)
    """Frequencies kept per block, drawn at random and saved with the weights; at most half the window."""
    moving_average: int = Field(25, ge=3)
    """Months of the moving average that separates trend from season (odd)."""
    circular: bool = False
    """Convolutions that join the last month to the first, as published."""
    fourier: Literal["aligned", "published"] = "aligned"
    """aligned = frequencies and months keep their places; published = as the published code writes and reads them."""
    scores: Literal["tanh", "softmax"] = "tanh"
    """Activation of the scores between frequencies; the paper offers both."""


BACKBONE = BackboneRoom(
    label="FEDformer",
    section=FEDformerConfig,
    network="dere.backbones.fedformer.network:FEDformer",
    references=("Zhou and others 2022, arXiv 2201.12740",),
    # frequencies are put in place with index_copy, which cannot be mapped over stacked indices
    vectorised=False,
    rank=30,
)
