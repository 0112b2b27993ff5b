"""Configuration that sequence networks share; what is a network's own stands in its declaration."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from dere.config.base import Section


def require_even_heads(key: str, leaf: str, width: int, heads: int) -> None:
    """Check that attention can split a width evenly among its heads.

    Parameters
    ----------
    key
        Place of the section, for the sentence.
    leaf
        Name of the width in it.
    width, heads
        Their values.

    Raises
    ------
    ValueError
        When the heads do not divide the width.
    """
    if width % heads:
        raise ValueError(
            f"{key}.{leaf}: it is {width}, which {key}.heads = {heads} does not divide; choose a multiple of heads, or "
            "other heads"
        )


class NetworkConfig(Section):
    """Size of any sequence network."""

    width: int = Field(64, ge=4)
    """Model width (d_model)."""
    dropout: float = Field(0.05, ge=0, lt=1)
    """Dropout share."""

    def check(self, key: str) -> None:
        """Check what matters only where a run uses the network; ``key`` is the place of the section.

        Raises
        ------
        ValueError
            When the network cannot be built with these values.
        """


class BackboneConfig(NetworkConfig):
    """Size of a sequence network with layers of attention."""

    heads: int = Field(4, ge=1)
    """Attention heads; must divide the width."""
    encoder_layers: int = Field(2, ge=1)
    """Encoder layers."""
    decoder_layers: int = Field(1, ge=1)
    """Decoder layers."""
    feedforward: int = Field(128, ge=4)
    """Width of the feed-forward layers."""

    def check(self, key: str) -> None:
        """See `NetworkConfig.check`; heads must divide the width."""
        require_even_heads(key, "width", self.width, self.heads)


class MonthTokenConfig(BackboneConfig):
    """One token per month through encoder and decoder."""

    decoder_self_attention: bool = False
    """Causal self-attention in the decoder, as published; its input is nearly constant there, so off by default."""
    circular: bool = False
    """Token convolution that joins the last month to the first, as published."""
    distil: bool = False
    """Halve the length between encoder layers, as published; the decoder keeps the monthly tokens."""
    mix: bool = False
    """Read heads and months of the decoder's self-attention in exchanged order, as published (not causal any more)."""
    norms: Literal["before", "after"] = "before"
    """Layer norm before each sub-layer, which trains without long warm-up, or after it, as published."""

    @model_validator(mode="after")
    def _mix_needs_a_layer(self) -> Self:
        if self.mix and not self.decoder_self_attention:
            raise ValueError(
                "mix is true, but decoder_self_attention is false and there is nothing to mix; set it to true, or mix "
                "to false"
            )
        return self


class VariateConfig(BackboneConfig):
    """One token per variate: the whole window of a driver is one token."""

    decoder_layers: int = Field(1, ge=1)
    """Decoder layers, with layout shared only."""
    layout: Literal["shared", "published"] = "shared"
    """shared = drivers are encoded once and queries attend to them; published = all tokens in one set, not shared."""
    queries: int = Field(16, ge=1)
    """shared only: query tokens of a decoding, each a hidden series."""
