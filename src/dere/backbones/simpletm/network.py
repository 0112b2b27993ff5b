"""Wavelets and geometric attention between features; see `dere.backbones.simpletm` for the paper.

Each variate token is taken apart by a stationary wavelet transform along its features (the paper's first module); at
every level the features attend to each other, with the variates as their components, and scores are a mix of the dot
product and the norm of the wedge product, ``alpha`` (second module); the inverse transform puts the levels together
(third module). Layouts as in `dere.backbones.variates`. Differences from the published code, and why:

- one more token holds the static attributes, which every network here gets; the stand age is a condition;
- the L1 term on the attention is left out; its weight is zero for DERE;
- no per-sample normalisation of the series; it is commented out in the published comparison too;
- the Haar wavelet (db1), which DERE uses, is the only start of the learnable filters.

``heads`` and ``decoder_layers`` matter to the queries of the shared layout only; the geometric attention has no heads.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dere.backbones.simpletm import SimpleTMConfig
from dere.backbones.variates import VariateBackbone
from dere.config.network import VariateConfig
from dere.layers.wavelets import StationaryWavelet


class GeometricAttention(nn.Module):
    """Attention between the features of wavelet coefficients; dot and wedge product.

    Parameters
    ----------
    tokens
        Tokens, the components of each feature.
    config
        Width, levels, share of the wedge product, dropout.
    """

    def __init__(self, tokens: int, config: SimpleTMConfig) -> None:
        super().__init__()
        self.alpha = config.alpha
        self.wavelet = StationaryWavelet(tokens, config.levels)
        self.query, self.key, self.value, self.out = (nn.Linear(config.width, config.width) for _ in range(4))
        self.dropout = nn.Dropout(config.attention_dropout)
        self.scores_dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, _: Tensor) -> Tensor:
        """(B, N, width) to the same; the second argument is the first again, for self-attention."""
        levels = self.wavelet(x)  # (B, N, levels + 1, width)
        # (B, levels + 1, width, N): features are the positions, tokens their components
        q, k, v = (self.dropout(f(levels)).permute(0, 2, 3, 1) for f in (self.query, self.key, self.value))
        dot = q @ k.transpose(-2, -1)
        scores = (1 - self.alpha) * dot
        if self.alpha:
            squares = (q**2).sum(-1)[..., :, None] * (k**2).sum(-1)[..., None, :]
            scores = scores + self.alpha * torch.sqrt((squares - dot**2).relu() + 1e-8)
        weights = self.scores_dropout(torch.softmax(scores * q.shape[-1] ** -0.5, dim=-1))
        return self.wavelet.inverse(self.out((weights @ v).permute(0, 3, 1, 2)))


class SimpleTM(VariateBackbone):
    """Variate tokens; wavelets and geometric attention."""

    @staticmethod
    def mixing(config: VariateConfig, tokens: int) -> nn.Module:
        """See `VariateBackbone.mixing`."""
        assert isinstance(config, SimpleTMConfig)
        return GeometricAttention(tokens, config)
