"""Transformer encoder and decoder (Vaswani and others 2017; used by DERE as dere-reference 2.0 describes).

Differences from the published arrangement, and why:

- convolution with zero padding instead of circular padding: the first month must not see the last (defect 35);
- no distilling between the layers and no BatchNorm: frozen means frozen (defects 24, 25);
- decoder queries start from the time-aligned encoder states, modulated by the condition (initial state, age),
  instead of a start token followed by zeros: nearly all of the published decoder input is constant (7.5, 2);
- layer norm before each sub-layer, which trains without long warm-up.
"""

from __future__ import annotations

from torch import Tensor, nn

from dere.backbones.base import Backbone, Sizes
from dere.config.training import BackboneConfig
from dere.layers.attention import Attention, FeedForward, sinusoid
from dere.layers.conditioning import Modulation


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward, each with residual and norm before."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        self.attention = Attention(config.width, config.heads)
        self.feedforward = FeedForward(config.width, config.feedforward, config.dropout)
        self.norms = nn.ModuleList(nn.LayerNorm(config.width) for _ in range(2))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, W, width) to (B, W, width)."""
        y = self.norms[0](x)
        x = x + self.dropout(self.attention(y, y))
        return x + self.dropout(self.feedforward(self.norms[1](x)))


class DecoderLayer(nn.Module):
    """Optional causal self-attention, cross-attention to the shared memory, feed-forward, condition."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        published = config.decoder_self_attention
        self.self_attention = Attention(config.width, config.heads) if published else None
        self.self_norm = nn.LayerNorm(config.width) if published else nn.Identity()
        self.cross_attention = Attention(config.width, config.heads)
        self.feedforward = FeedForward(config.width, config.feedforward, config.dropout)
        self.norms = nn.ModuleList(nn.LayerNorm(config.width) for _ in range(2))
        self.modulation = Modulation(config.width, config.width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, memory: Tensor, condition: Tensor) -> Tensor:
        """``x`` (B·k, W, width), ``memory`` (B, W, width), ``condition`` (B·k, width)."""
        if self.self_attention is not None:
            y = self.self_norm(x)
            x = x + self.dropout(self.self_attention(y, y, causal=True))
        x = x + self.dropout(self.cross_attention(self.modulation(self.norms[0](x), condition), memory))
        return x + self.dropout(self.feedforward(self.modulation(self.norms[1](x), condition)))


class Decoder(nn.Module):
    """One branch: condition and time-varying inputs meet the time-aligned memory."""

    def __init__(self, sizes: Sizes, config: BackboneConfig) -> None:
        super().__init__()
        self.condition = nn.Sequential(
            nn.Linear(sizes.condition, config.width), nn.GELU(), nn.Linear(config.width, config.width)
        )
        self.dynamic = nn.Linear(sizes.dynamic, config.width) if sizes.dynamic else None
        self.layers = nn.ModuleList(DecoderLayer(config) for _ in range(config.decoder_layers))
        self.norm = nn.LayerNorm(config.width)
        self.modulation = Modulation(config.width, config.width)

    def forward(self, memory: Tensor, condition: Tensor, dynamic: Tensor | None) -> Tensor:
        """``memory`` (B, W, width), ``condition`` (B·k, C), ``dynamic`` (B·k, W, Q); returns (B·k, W, width)."""
        copies = condition.shape[0] // memory.shape[0]
        code = self.condition(condition)
        x = memory.repeat_interleave(copies, dim=0) + code[:, None]
        if self.dynamic is not None:
            if dynamic is None:
                raise ValueError("this decoder was built with time-varying inputs; pass `dynamic`")
            x = x + self.dynamic(dynamic)
        for layer in self.layers:
            x = layer(x, memory, code)
        return self.modulation(self.norm(x), code)


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

    def __init__(self, sizes: Sizes, config: BackboneConfig, branches: int = 1) -> None:
        super().__init__()
        self.width = config.width
        self.tokens = nn.Conv1d(sizes.drivers, config.width, kernel_size=3, padding=1)
        self.static = nn.Linear(sizes.static, config.width)
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.encoder_layers))
        self.norm = nn.LayerNorm(config.width)
        self.decoders = nn.ModuleList(Decoder(sizes, config) for _ in range(branches))
        self.dropout = nn.Dropout(config.dropout)
        self.register_buffer("position", sinusoid(sizes.window, config.width), persistent=False)
        self.position: Tensor

    def encode(self, drivers: Tensor, static: Tensor) -> Tensor:
        """See `Backbone.encode`; memory is (B, W, width)."""
        x = self.tokens(drivers.transpose(1, 2)).transpose(1, 2)
        x = self.dropout(x + self.position[: x.shape[1]] + self.static(static)[:, None])
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)

    def decode(self, memory: Tensor, condition: Tensor, dynamic: Tensor | None = None, branch: int = 0) -> Tensor:
        """See `Backbone.decode`."""
        return self.decoders[branch](memory, condition, dynamic)
