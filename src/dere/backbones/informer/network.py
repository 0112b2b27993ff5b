"""Prob-sparse self-attention between monthly tokens; see `dere.backbones.informer` for the paper.

It stands in the encoder and, where the decoder has self-attention, in the decoder; cross-attention is full, as in the
original. One difference from the published code beside those of `dere.backbones.month_tokens`, and why:

- in evaluation active queries are found over all keys instead of a random sample, so predictions are deterministic
  and a padded window gives what the window itself gives; training samples keys as published.
"""

from __future__ import annotations

from torch import nn

from dere.backbones.informer import InformerConfig
from dere.backbones.month_tokens import MonthTokenBackbone
from dere.config.network import MonthTokenConfig
from dere.layers.prob_sparse import ProbSparseAttention


class Informer(MonthTokenBackbone):
    """Monthly tokens; prob-sparse self-attention."""

    @staticmethod
    def self_attention(config: MonthTokenConfig, mix: bool = False) -> nn.Module:
        """See `MonthTokenBackbone.self_attention`."""
        assert isinstance(config, InformerConfig)
        return ProbSparseAttention(config.width, config.heads, config.factor, mix)
