"""Full self-attention between monthly tokens; see `dere.backbones.transformer` for the paper."""

from __future__ import annotations

from torch import nn

from dere.backbones.month_tokens import MonthTokenBackbone
from dere.config.network import MonthTokenConfig
from dere.layers.attention import Attention


class Transformer(MonthTokenBackbone):
    """Monthly tokens; full attention."""

    @staticmethod
    def self_attention(config: MonthTokenConfig, mix: bool = False) -> nn.Module:
        """See `MonthTokenBackbone.self_attention`."""
        return Attention(config.width, config.heads, mix)
