"""Informer (Zhou and others 2021, arXiv 2012.07436; the published comparison's second network, dere-reference 4.2).

Prob-sparse self-attention (eq. 2-4) in the encoder and, where the decoder has self-attention, in the decoder;
cross-attention is full, as in the original. Everything else, and with it most differences from the published
arrangement, is that of `dere.backbones.transformer`; distilling (eq. 8 with ``distil``) and the exchange of heads and
months (``mix``) are options there. One more difference, and why:

- in evaluation active queries are found over all keys instead of a random sample, so predictions are deterministic
  and a padded window gives what the window itself gives; training samples keys as published.
"""

from __future__ import annotations

from torch import nn

from dere.backbones.transformer import Transformer
from dere.config.backbones import InformerConfig, TransformerConfig
from dere.layers.prob_sparse import ProbSparseAttention


class Informer(Transformer):
    """Time tokens; prob-sparse self-attention. Parameters as `dere.backbones.transformer.Transformer`."""

    @staticmethod
    def self_attention(config: TransformerConfig, mix: bool = False) -> nn.Module:
        """See `Transformer.self_attention`."""
        assert isinstance(config, InformerConfig)
        return ProbSparseAttention(config.width, config.heads, config.factor, mix)
