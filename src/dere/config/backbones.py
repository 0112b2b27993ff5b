"""Configuration of the sequence networks, one section per backbone."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from dere.config.base import Section
from dere.config.network import BackboneConfig


class TransformerConfig(BackboneConfig):
    """Encoder-decoder transformer with one token per month."""

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


class InformerConfig(TransformerConfig):
    """Transformer with prob-sparse self-attention."""

    factor: int = Field(5, ge=1)
    """Active queries: factor times the logarithm of the length; as many keys are sampled to find them."""


class FEDformerConfig(BackboneConfig):
    """Fourier blocks and seasonal-trend decomposition."""

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


class VariateConfig(BackboneConfig):
    """One token per variate: the whole window of a driver is one token."""

    layout: Literal["shared", "published"] = "shared"
    """shared = drivers are encoded once and queries attend to them; published = all tokens in one set, not shared."""
    queries: int = Field(16, ge=1)
    """shared only: query tokens of a decoding, each a hidden series."""


class ITransformerConfig(VariateConfig):
    """Self-attention between variate tokens."""


class TimeXerConfig(VariateConfig):
    """Patches of the target series attend to variate tokens of the drivers through a global token."""

    patch: int = Field(12, ge=1)
    """Months of a patch; must divide harmonise.window (published: 1)."""


class SimpleTMConfig(VariateConfig):
    """Stationary wavelets and geometric attention."""

    levels: int = Field(3, ge=1)
    """Levels of the stationary wavelet transform."""
    alpha: float = Field(0.0, ge=0, le=1)
    """Share of the wedge product in the attention scores; 0 = dot product only, as published for DERE."""
    attention_dropout: float = Field(0.5, ge=0, lt=1)
    """Dropout of the projections inside the attention."""

    @model_validator(mode="after")
    def _levels_fit_the_width(self) -> Self:
        if 2 ** (self.levels - 1) > self.width:
            raise ValueError(
                f"levels is {self.levels}, whose widest filter reaches over {2 ** (self.levels - 1)} features, but "
                f"width is {self.width}; choose at most {self.width.bit_length()} levels"
            )
        return self


class NetworksConfig(Section):
    """Size of each backbone that a run may use."""

    transformer: TransformerConfig = TransformerConfig()
    """Encoder-decoder transformer."""
    informer: InformerConfig = InformerConfig()
    """Informer: prob-sparse attention."""
    fedformer: FEDformerConfig = FEDformerConfig()
    """FEDformer: Fourier blocks, seasonal-trend decomposition."""
    itransformer: ITransformerConfig = ITransformerConfig()
    """iTransformer: variate tokens."""
    timexer: TimeXerConfig = TimeXerConfig()
    """TimeXer: patches and exogenous variate tokens."""
    simpletm: SimpleTMConfig = SimpleTMConfig()
    """SimpleTM: wavelets and geometric attention."""
