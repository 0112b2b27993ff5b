"""Variate tokens: what TimeXer, iTransformer and SimpleTM share, and all of the latter two but how tokens are mixed.

Layouts: ``published`` has the drivers and the condition series in one set of tokens and reads the condition's tokens
as the prediction; ``shared`` mixes the driver tokens once per site and lets query tokens, which carry the condition,
attend to them.
"""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn

from dere.backbones.base import Backbone
from dere.backbones.declaration import Sizes
from dere.backbones.decoder import ConditionCode, require_dynamic
from dere.config.network import VariateConfig
from dere.layers.attention import Attention, FeedForward
from dere.layers.conditioning import Modulation
from dere.layers.embedding import VariateTokens, with_static


class VariateLayer(nn.Module):
    """Token mixing and feed-forward, each with residual and norm after it, as iTransformer and SimpleTM publish."""

    def __init__(self, config: VariateConfig, mixing: nn.Module) -> None:
        super().__init__()
        self.mixing = mixing
        self.feedforward = FeedForward(config.width, config.feedforward, config.dropout)
        self.norms = nn.ModuleList(nn.LayerNorm(config.width) for _ in range(2))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, tokens, width) to the same."""
        x = self.norms[0](x + self.dropout(self.mixing(x, x)))
        return self.norms[1](x + self.dropout(self.feedforward(x)))


class QueryLayer(nn.Module):
    """Queries look at each other, then at the shared driver tokens; feed-forward; the condition modulates."""

    def __init__(self, config: VariateConfig) -> None:
        super().__init__()
        self.self_attention = Attention(config.width, config.heads)
        self.cross_attention = Attention(config.width, config.heads)
        self.feedforward = FeedForward(config.width, config.feedforward, config.dropout)
        self.norms = nn.ModuleList(nn.LayerNorm(config.width) for _ in range(3))
        self.modulation = Modulation(config.width, config.width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, memory: Tensor, code: Tensor) -> Tensor:
        """``x`` (B·k, tokens, width), ``memory`` (B, D, width), ``code`` (B·k, width)."""
        y = self.norms[0](x)
        x = x + self.dropout(self.self_attention(y, y))
        x = x + self.dropout(self.cross_attention(self.modulation(self.norms[1](x), code), memory))
        return x + self.dropout(self.feedforward(self.norms[2](x)))


class QueryDecoder(nn.Module):
    """Shared layout: query tokens with the condition attend to cached driver tokens; each becomes a hidden series."""

    def __init__(self, sizes: Sizes, config: VariateConfig) -> None:
        super().__init__()
        self.condition = ConditionCode(sizes.condition, config.width)
        self.queries = nn.Parameter(torch.randn(config.queries, config.width) * 0.5)
        self.dynamic = VariateTokens(sizes.window, config.width) if sizes.dynamic else None
        self.layers = nn.ModuleList(QueryLayer(config) for _ in range(config.decoder_layers))
        self.norm = nn.LayerNorm(config.width)
        self.out = nn.Linear(config.width, sizes.window)

    def forward(self, memory: Tensor, condition: Tensor, dynamic: Tensor | None) -> Tensor:
        """``memory`` (B, D, width), ``condition`` (B·k, C), ``dynamic`` (B·k, W, Q); returns (B·k, W, queries).

        Raises
        ------
        ValueError
            When the network was built with time-varying inputs and none are given.
        """
        code = self.condition(condition)
        x = self.queries + code[:, None]
        if self.dynamic is not None:
            x = torch.cat([x, self.dynamic(require_dynamic(dynamic))], dim=1)
        for layer in self.layers:
            x = layer(x, memory, code)
        return self.out(self.norm(x[:, : len(self.queries)])).transpose(1, 2)


class TokenSetDecoder(nn.Module):
    """Published layout: driver, static, time-varying and condition tokens in one set; the last ones are the output.

    A condition is a series that holds its value in the first month and zeros after it. Nothing is shared between the
    decodings of a site.

    Parameters
    ----------
    layers
        Token mixing, over the drivers, the static token, the time-varying inputs and the conditions.
    """

    def __init__(self, sizes: Sizes, config: VariateConfig, layers: list[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.norm = nn.LayerNorm(config.width)
        self.out = nn.Linear(config.width, sizes.window)

    def forward(self, memory: Tensor, condition: Tensor, dynamic: Tensor | None, tokens: VariateTokens) -> Tensor:
        """``memory`` (B, D, width), ``condition`` (B·k, C), ``dynamic`` (B·k, W, Q); returns (B·k, W, C)."""
        copies = condition.shape[0] // memory.shape[0]
        parts = [memory.repeat_interleave(copies, dim=0)]
        if dynamic is not None:
            parts.append(tokens(dynamic))
        x = torch.cat([*parts, tokens.start_only(condition)], dim=1)
        for layer in self.layers:
            x = layer(x)
        return self.out(self.norm(x[:, -condition.shape[1] :])).transpose(1, 2)


class TokenBackbone(Backbone):
    """One token per driver and one of the static attributes; decoders in the shared or the published layout.

    Parameters
    ----------
    sizes
        Widths of the inputs and the window.
    config
        Width, layout, queries.
    """

    decoders: nn.ModuleList

    def __init__(self, sizes: Sizes, config: VariateConfig) -> None:
        super().__init__()
        self.shared = config.layout == "shared"
        self.width = config.queries if self.shared else sizes.condition
        self.tokens = VariateTokens(sizes.window, config.width)
        self.static = nn.Linear(sizes.static, config.width)
        self.dropout = nn.Dropout(config.dropout)

    def encode(self, drivers: Tensor, static: Tensor) -> Tensor:
        """See `Backbone.encode`; memory is (B, D + 1, width)."""
        return self.dropout(with_static(self.tokens(drivers), self.static(static)))

    def decode(self, memory: Tensor, condition: Tensor, dynamic: Tensor | None = None, branch: int = 0) -> Tensor:
        """See `Backbone.decode`; the published layout makes tokens of conditions too."""
        if self.shared:
            return self.decoders[branch](memory, condition, dynamic)
        return self.decoders[branch](memory, condition, dynamic, self.tokens)


class VariateBackbone(TokenBackbone):
    """Variate tokens that attend to each other before they are decoded.

    Parameters
    ----------
    sizes
        Widths of the inputs and the window.
    config
        Width, heads, layers, layout.
    branches
        Decoders that share the encoder.
    """

    def __init__(self, sizes: Sizes, config: VariateConfig, branches: int = 1) -> None:
        super().__init__(sizes, config)
        count = sizes.drivers + 1 + (0 if self.shared else sizes.dynamic + sizes.condition)

        def layers() -> list[nn.Module]:
            return [VariateLayer(config, self.mixing(config, count)) for _ in range(config.encoder_layers)]

        self.layers = nn.ModuleList(layers() if self.shared else [])
        self.norm = nn.LayerNorm(config.width) if self.shared else nn.Identity()
        self.decoders = nn.ModuleList(
            QueryDecoder(sizes, config) if self.shared else TokenSetDecoder(sizes, config, layers())
            for _ in range(branches)
        )

    @staticmethod
    @abstractmethod
    def mixing(config: VariateConfig, tokens: int) -> nn.Module:
        """Self-attention of ``tokens`` tokens, called with the tokens twice."""

    def encode(self, drivers: Tensor, static: Tensor) -> Tensor:
        """See `Backbone.encode`; memory is (B, D + 1, width)."""
        x = super().encode(drivers, static)
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)
