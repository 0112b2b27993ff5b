"""Every variate is one token, attention mixes variates; see `dere.backbones.itransformer` for the paper (eq. 1).

Layouts as in `dere.backbones.variates`. Differences from the published code, and why:

- one more token holds the static attributes, which every network here gets;
- the stand age is a condition of its own, because the start state alone does not determine it;
- no per-sample normalisation of the series; it is commented out in the published code too.
"""

from __future__ import annotations

from torch import nn

from dere.backbones.variates import VariateBackbone
from dere.config.network import VariateConfig
from dere.layers.attention import Attention


class ITransformer(VariateBackbone):
    """Variate tokens; full attention between them."""

    @staticmethod
    def mixing(config: VariateConfig, tokens: int) -> nn.Module:
        """See `VariateBackbone.mixing`."""
        return Attention(config.width, config.heads)
