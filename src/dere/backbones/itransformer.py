"""iTransformer (Liu and others 2024, arXiv 2310.06625, eq. 1): every variate is one token, attention mixes variates.

Layouts: ``published`` has the drivers and the condition series in one set of tokens and reads the condition's tokens
as the prediction (dere-reference 4.2); ``shared`` mixes the driver tokens once per site and lets query tokens, which
carry the condition, attend to them. Differences from the published code, and why:

- one more token holds the static attributes, which every network here gets;
- the stand age is a condition of its own, because the start state alone does not determine it;
- no per-sample normalisation of the series; it is commented out in the published code too.
"""

from __future__ import annotations

from torch import nn

from dere.backbones.variates import VariateBackbone
from dere.config.backbones import VariateConfig
from dere.layers.attention import Attention


class ITransformer(VariateBackbone):
    """Variate tokens; full attention between them."""

    @staticmethod
    def mixing(config: VariateConfig, tokens: int) -> nn.Module:
        """See `VariateBackbone.mixing`."""
        return Attention(config.width, config.heads)
