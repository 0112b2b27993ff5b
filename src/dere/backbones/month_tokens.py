"""Networks with one token per month: what Transformer and Informer share, which is all but their self-attention.

The published comparison has the Informer block under both names: a convolution makes one token per month, two encoder
layers with a distilling step between them, one decoder layer. Differences from that arrangement, and why:

- decoder queries start from the time-aligned encoder states, modulated by the condition (initial state, age),
  instead of a start token followed by zeros: nearly all of the published decoder input is constant;
- convolutions are padded with zeros instead of circularly: the first month must not see the last; ``circular``
  restores it;
- no distilling (Zhou and others 2021, eq. 8): 120 months need no shortening; ``distil`` restores it, with a layer norm
  instead of BatchNorm, because frozen means frozen;
- heads and months keep their order after the decoder's self-attention, so that its mask holds; ``mix`` restores the
  exchange;
- layer norm before each sub-layer, which trains without long warm-up (Xiong and others 2020, arXiv 2002.04745);
  ``norms: after`` restores the order of Vaswani and others (2017, eq. 1);
- causal self-attention of the decoder is optional (``decoder_self_attention``);
- attention weights have no dropout of their own.
"""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dere.backbones.base import Backbone
from dere.backbones.declaration import Sizes
from dere.backbones.decoder import Decoder
from dere.config.network import MonthTokenConfig
from dere.layers.attention import FeedForward, sinusoid
from dere.layers.embedding import MonthTokens


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward, each with residual and a norm before or after."""

    def __init__(self, config: MonthTokenConfig, attention: nn.Module) -> None:
        super().__init__()
        self.after = config.norms == "after"
        self.attention = attention
        self.feedforward = FeedForward(config.width, config.feedforward, config.dropout)
        self.norms = nn.ModuleList(nn.LayerNorm(config.width) for _ in range(2))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, valid: Tensor | None = None) -> Tensor:
        """(B, W, width) to (B, W, width)."""
        if self.after:
            x = self.norms[0](x + self.dropout(self.attention(x, x, valid=valid)))
            return self.norms[1](x + self.dropout(self.feedforward(x)))
        y = self.norms[0](x)
        x = x + self.dropout(self.attention(y, y, valid=valid))
        return x + self.dropout(self.feedforward(self.norms[1](x)))


class Distilling(nn.Module):
    """Convolution, norm, ELU and max-pooling: half the months (Zhou and others 2021, eq. 8)."""

    def __init__(self, width: int, circular: bool) -> None:
        super().__init__()
        self.convolution = MonthTokens(width, width, circular)
        self.norm: nn.Module = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, width) to (B, ceil(L / 2), width)."""
        y = F.elu(self.norm(self.convolution(x)))
        return F.max_pool1d(y.transpose(1, 2), kernel_size=3, stride=2, padding=1).transpose(1, 2)


class MonthTokenBackbone(Backbone):
    """One token per month through encoder and decoders.

    Parameters
    ----------
    sizes
        Widths of the inputs and the window.
    config
        Width, heads, layers and which published habits to keep.
    branches
        Decoders that share the encoder.
    """

    def __init__(self, sizes: Sizes, config: MonthTokenConfig, branches: int = 1) -> None:
        super().__init__()
        self.width, self.window = config.width, sizes.window
        self.tokens = MonthTokens(sizes.drivers, config.width, config.circular)
        self.static = nn.Linear(sizes.static, config.width)
        self.layers = nn.ModuleList(
            EncoderLayer(config, self.self_attention(config)) for _ in range(config.encoder_layers)
        )
        distilling = config.encoder_layers - 1 if config.distil else 0
        self.distilling = nn.ModuleList(Distilling(config.width, config.circular) for _ in range(distilling))
        mixes = config.mix and config.decoder_self_attention
        self.spreads = "distil" if self.distilling else "mix" if mixes else ""
        self.norm = nn.LayerNorm(config.width)
        self.decoders = nn.ModuleList(
            Decoder(sizes, config, lambda: self.self_attention(config, config.mix)) for _ in range(branches)
        )
        self.dropout = nn.Dropout(config.dropout)
        self.register_buffer("position", sinusoid(sizes.window, config.width), persistent=False)
        self.position: Tensor

    @staticmethod
    @abstractmethod
    def self_attention(config: MonthTokenConfig, mix: bool = False) -> nn.Module:
        """Self-attention of a layer; ``mix`` reads heads and months in exchanged order."""

    def encode(self, drivers: Tensor, static: Tensor, valid: Tensor | None = None) -> Tensor:
        """See `Backbone.encode`; memory is (B, W, width), with distilling (B, W + M, width): months, then the memory.

        ``valid`` (B, W) is false where a month is padding, which must stand at the end; None = all are valid.

        Raises
        ------
        ValueError
            When a padded window meets an option that carries padding into other months.
        """
        if valid is not None and self.spreads:
            raise ValueError(
                f"padded windows and networks.*.{self.spreads} exclude each other; set {self.spreads} to false"
            )
        x = self.tokens(drivers, valid)
        x = months = self.dropout(x + self.position[: x.shape[1]] + self.static(static)[:, None])
        for number, layer in enumerate(self.layers):
            x = layer(x, valid)
            if number < len(self.distilling):
                x = self.distilling[number](x)
        x = self.norm(x)
        return torch.cat([months, x], dim=1) if self.distilling else x

    def decode(
        self,
        memory: Tensor,
        condition: Tensor,
        dynamic: Tensor | None = None,
        branch: int = 0,
        valid: Tensor | None = None,
    ) -> Tensor:
        """See `Backbone.decode`."""
        if self.distilling:
            return self.decoders[branch](memory[:, : self.window], memory[:, self.window :], condition, dynamic)
        return self.decoders[branch](memory, memory, condition, dynamic, valid)
