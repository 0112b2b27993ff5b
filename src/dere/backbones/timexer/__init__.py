"""TimeXer (Wang and others 2024, arXiv 2402.19072): patches of the target series, variate tokens of the drivers."""

from __future__ import annotations

from pydantic import Field

from dere.backbones.declaration import BackboneRoom
from dere.config.network import VariateConfig


class TimeXerConfig(VariateConfig):
    """TimeXer: patches of the target series attend to variate tokens of the drivers through a global token."""

    decoder_layers: int = Field(1, ge=1)
    """Without effect: encoder_layers counts the layers of both attentions."""
    patch: int = Field(12, ge=1)
    """Months of a patch; must divide harmonise.window (published: 1)."""


BACKBONE = BackboneRoom(
    label="TimeXer",
    section=TimeXerConfig,
    network="dere.backbones.timexer.network:TimeXer",
    references=("Wang and others 2024, arXiv 2402.19072",),
    vectorised=True,
    rank=50,
)
