"""Transformer encoder and decoder (Vaswani and others 2017; used by DERE as dere-reference 2.0 describes).

Differences from the published arrangement, and why:

- convolution with zero padding instead of circular padding unless configured: the first month must not see the last
  (defect 35);
- no distilling between the layers and no BatchNorm: frozen means frozen (defects 24, 25);
- decoder queries start from the time-aligned encoder states, modulated by the condition (initial state, age),
  instead of a start token followed by zeros: nearly all of the published decoder input is constant (7.5, 2);
- layer norm before each sub-layer, which trains without long warm-up.
"""

from __future__ import annotations

from torch import Tensor, nn

from dere.backbones.base import Backbone, Sizes
from dere.backbones.decoder import Decoder
from dere.config.backbones import TransformerConfig
from dere.layers.attention import Attention, FeedForward, sinusoid
from dere.layers.embedding import MonthTokens


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward, each with residual and norm before."""

    def __init__(self, config: TransformerConfig, attention: nn.Module) -> None:
        super().__init__()
        self.attention = attention
        self.feedforward = FeedForward(config.width, config.feedforward, config.dropout)
        self.norms = nn.ModuleList(nn.LayerNorm(config.width) for _ in range(2))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, valid: Tensor | None = None) -> Tensor:
        """(B, W, width) to (B, W, width)."""
        y = self.norms[0](x)
        x = x + self.dropout(self.attention(y, y, valid=valid))
        return x + self.dropout(self.feedforward(self.norms[1](x)))


class Transformer(Backbone):
    """Time tokens; full attention.

    Parameters
    ----------
    sizes
        Widths of the inputs and the window.
    config
        Width, heads, layers.
    branches
        Decoders that share the encoder.
    """

    def __init__(self, sizes: Sizes, config: TransformerConfig, branches: int = 1) -> None:
        super().__init__()
        self.width = config.width
        self.tokens = MonthTokens(sizes.drivers, config.width, config.circular)
        self.static = nn.Linear(sizes.static, config.width)
        self.layers = nn.ModuleList(
            EncoderLayer(config, Attention(config.width, config.heads)) for _ in range(config.encoder_layers)
        )
        self.norm = nn.LayerNorm(config.width)
        self.decoders = nn.ModuleList(Decoder(sizes, config) for _ in range(branches))
        self.dropout = nn.Dropout(config.dropout)
        self.register_buffer("position", sinusoid(sizes.window, config.width), persistent=False)
        self.position: Tensor

    def encode(self, drivers: Tensor, static: Tensor, valid: Tensor | None = None) -> Tensor:
        """See `Backbone.encode`; memory is (B, W, width)."""
        x = self.tokens(drivers, valid)
        x = self.dropout(x + self.position[: x.shape[1]] + self.static(static)[:, None])
        for layer in self.layers:
            x = layer(x, valid)
        return self.norm(x)

    def decode(
        self,
        memory: Tensor,
        condition: Tensor,
        dynamic: Tensor | None = None,
        branch: int = 0,
        valid: Tensor | None = None,
    ) -> Tensor:
        """See `Backbone.decode`."""
        return self.decoders[branch](memory, memory, condition, dynamic, valid)
