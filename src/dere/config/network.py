"""Configuration that every sequence network has."""

from __future__ import annotations

from pydantic import Field

from dere.config.base import Section


class BackboneConfig(Section):
    """Size of a sequence network."""

    width: int = Field(64, ge=4)
    """Model width (d_model)."""
    heads: int = Field(4, ge=1)
    """Attention heads; simpletm has one in its encoder whatever stands here, and uses them with layout shared only."""
    encoder_layers: int = Field(2, ge=1)
    """Encoder layers."""
    decoder_layers: int = Field(1, ge=1)
    """Decoder layers; timexer has none of its own, itransformer and simpletm with layout shared only."""
    feedforward: int = Field(128, ge=4)
    """Width of the feed-forward layers."""
    dropout: float = Field(0.05, ge=0, lt=1)
    """Dropout share."""
