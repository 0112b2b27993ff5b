"""Informer (Zhou and others 2021; the published comparison's second network, dere-reference 4.2).

Prob-sparse self-attention (eq. 4-6) in the encoder and, where the decoder has self-attention, in the decoder;
cross-attention is full, as in the original. Differences from the published arrangement, and why:

- all that `dere.backbones.transformer` lists: zero padding, norms before the sub-layers, decoder queries that start
  from the monthly tokens;
- distilling (eq. 8) and the exchange of heads and months (`mix`) are options, off by default: 120 months need no
  shortening, and `mix` undoes the causal mask (defect 35);
- distilling normalises with a layer norm instead of BatchNorm, because frozen means frozen (defects 24, 25);
- in evaluation active queries are found over all keys instead of a random sample, so predictions are deterministic.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dere.backbones.base import Backbone, Sizes
from dere.backbones.decoder import Decoder
from dere.backbones.transformer import EncoderLayer
from dere.config.backbones import InformerConfig
from dere.layers.attention import sinusoid
from dere.layers.embedding import MonthTokens
from dere.layers.prob_sparse import ProbSparseAttention


class Distilling(nn.Module):
    """Convolution, norm, ELU and max-pooling: half the months (eq. 8)."""

    def __init__(self, width: int, circular: bool) -> None:
        super().__init__()
        self.convolution = MonthTokens(width, width, circular)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, width) to (B, ceil(L / 2), width)."""
        y = F.elu(self.norm(self.convolution(x)))
        return F.max_pool1d(y.transpose(1, 2), kernel_size=3, stride=2, padding=1).transpose(1, 2)


class Informer(Backbone):
    """Time tokens; prob-sparse attention. Parameters as `dere.backbones.transformer.Transformer`."""

    def __init__(self, sizes: Sizes, config: InformerConfig, branches: int = 1) -> None:
        super().__init__()
        self.width, self.window = config.width, sizes.window
        self.tokens = MonthTokens(sizes.drivers, config.width, config.circular)
        self.static = nn.Linear(sizes.static, config.width)
        self.layers = nn.ModuleList(
            EncoderLayer(config, ProbSparseAttention(config.width, config.heads, config.factor))
            for _ in range(config.encoder_layers)
        )
        distilling = config.encoder_layers - 1 if config.distil else 0
        self.distilling = nn.ModuleList(Distilling(config.width, config.circular) for _ in range(distilling))
        self.norm = nn.LayerNorm(config.width)
        self.decoders = nn.ModuleList(Decoder(sizes, config, config.mix) for _ in range(branches))
        self.dropout = nn.Dropout(config.dropout)
        self.register_buffer("position", sinusoid(sizes.window, config.width), persistent=False)
        self.position: Tensor

    def encode(self, drivers: Tensor, static: Tensor, valid: Tensor | None = None) -> Tensor:
        """See `Backbone.encode`; memory is (B, W, width), with distilling (B, W + M, width): months, then the memory.

        Raises
        ------
        ValueError
            When a padded window meets distilling.
        """
        x = self.tokens(drivers, valid)
        x = months = self.dropout(x + self.position[: x.shape[1]] + self.static(static)[:, None])
        if self.distilling and valid is not None:
            raise ValueError("padded windows and networks.informer.distil exclude each other; set distil to false")
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
