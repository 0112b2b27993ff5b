"""Patches of the target series, variate tokens of the drivers; see `dere.backbones.timexer` for the paper.

A target series is cut into patches; its patches and one global token attend to each other (the paper's endogenous
self-attention), and only the global token reads the drivers (its exogenous-to-endogenous cross-attention). Our target
series holds what is known of the targets: the state of the month before the window, in a leading patch of its own, and
zeros after it. Layouts:

- ``published``: one series per condition; a flat head maps its tokens to the window;
- ``shared``: one series for all conditions, whose patches carry the condition and the time-varying inputs; a head
  per patch maps its token and the global token to the months of the patch. The drivers' tokens are made once per site.

Differences from the published code, and why:

- patches of 12 or 24 months instead of 1: all patches but one are zeros, so that nearly all work was spent on
  constants, and the head alone had 58 million weights;
- the index of a driver gets no position code: the order of drivers means nothing;
- one more driver token holds the static attributes; the stand age is a condition;
- the head has no dropout of its own: it is the output itself; no per-sample normalisation of the series, which the
  published comparison switched off too.

``decoder_layers`` has no meaning here: ``encoder_layers`` counts the layers of both attentions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dere.backbones.declaration import Sizes
from dere.backbones.decoder import ConditionCode, require_dynamic
from dere.backbones.timexer import TimeXerConfig
from dere.backbones.variates import TokenBackbone
from dere.layers.attention import Attention, FeedForward, sinusoid
from dere.layers.conditioning import Modulation
from dere.layers.embedding import VariateTokens


class TimeXerLayer(nn.Module):
    """Self-attention in each series; global tokens attend to the drivers; feed-forward. Norms after, as published."""

    def __init__(self, config: TimeXerConfig) -> None:
        super().__init__()
        self.self_attention = Attention(config.width, config.heads)
        self.cross_attention = Attention(config.width, config.heads)
        self.feedforward = FeedForward(config.width, config.feedforward, config.dropout)
        self.norms = nn.ModuleList(nn.LayerNorm(config.width) for _ in range(3))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        """``x`` (B·k, V, tokens, width) with the global token last; ``memory`` (B·m, D, width), m dividing k."""
        flat = x.flatten(0, 1)
        x = self.norms[0](flat + self.dropout(self.self_attention(flat, flat))).unflatten(0, x.shape[:2])
        tokens = x[:, :, -1]  # (B·k, V, width)
        tokens = self.norms[1](tokens + self.dropout(self.cross_attention(tokens, memory)))
        x = torch.cat([x[:, :, :-1], tokens[:, :, None]], dim=2)
        return self.norms[2](x + self.dropout(self.feedforward(x)))


class PatchDecoder(nn.Module):
    """Shared layout: one series, a head per patch."""

    def __init__(self, sizes: Sizes, config: TimeXerConfig) -> None:
        super().__init__()
        self.patch, self.queries = config.patch, config.queries
        self.condition = ConditionCode(sizes.condition, config.width)
        patches = sizes.window // config.patch
        self.tokens = nn.Parameter(sinusoid(patches + 1, config.width))
        self.dynamic = nn.Linear(sizes.dynamic * config.patch, config.width) if sizes.dynamic else None
        self.layers = nn.ModuleList(TimeXerLayer(config) for _ in range(config.encoder_layers))
        self.norm = nn.LayerNorm(config.width)
        self.modulation = Modulation(config.width, config.width)
        self.out = nn.Linear(2 * config.width, config.patch * config.queries)

    def forward(self, memory: Tensor, condition: Tensor, dynamic: Tensor | None) -> Tensor:
        """``memory`` (B, D, width), ``condition`` (B·k, C), ``dynamic`` (B·k, W, Q); returns (B·k, W, queries).

        Raises
        ------
        ValueError
            When the network was built with time-varying inputs and none are given.
        """
        code = self.condition(condition)
        x = self.tokens + code[:, None]
        if self.dynamic is not None:
            patches = self.dynamic(require_dynamic(dynamic).unflatten(1, (-1, self.patch)).flatten(2))
            x = torch.cat([x[:, :-1] + patches, x[:, -1:]], dim=1)
        x = x[:, None]
        for layer in self.layers:
            x = layer(x, memory)
        x = self.modulation(self.norm(x[:, 0]), code)
        pairs = torch.cat([x[:, :-1], x[:, -1:].expand_as(x[:, :-1])], dim=-1)
        return self.out(pairs).unflatten(-1, (self.patch, self.queries)).flatten(1, 2)


class SeriesDecoder(nn.Module):
    """Published layout: one series per condition, a flat head that all share."""

    def __init__(self, sizes: Sizes, config: TimeXerConfig) -> None:
        super().__init__()
        self.patch, patches = config.patch, sizes.window // config.patch + 1
        self.embedding = nn.Linear(config.patch, config.width, bias=False)
        self.overall = nn.Parameter(torch.randn(sizes.condition, 1, config.width))
        self.register_buffer("position", sinusoid(patches, config.width), persistent=False)
        self.position: Tensor
        self.layers = nn.ModuleList(TimeXerLayer(config) for _ in range(config.encoder_layers))
        self.norm = nn.LayerNorm(config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.out = nn.Linear(config.width * (patches + 1), sizes.window)

    def forward(self, memory: Tensor, condition: Tensor, dynamic: Tensor | None, variates: VariateTokens) -> Tensor:
        """``memory`` (B, D, width), ``condition`` (B·k, C), ``dynamic`` (B·k, W, Q); returns (B·k, W, C)."""
        copies = condition.shape[0] // memory.shape[0]
        known = [memory.repeat_interleave(copies, dim=0), variates.start_only(condition)]
        if dynamic is not None:
            known.append(variates(dynamic))
        patches = condition.new_zeros(*condition.shape, len(self.position), self.patch)
        patches[:, :, 0, -1] = condition
        tokens = self.dropout(self.embedding(patches) + self.position)
        x = torch.cat([tokens, self.overall.expand(len(condition), -1, -1, -1)], dim=2)
        for layer in self.layers:
            x = layer(x, torch.cat(known, dim=1))
        # the published head flattens each series with the features as the slow axis
        return self.out(self.norm(x).transpose(2, 3).flatten(2)).transpose(1, 2)


class TimeXer(TokenBackbone):
    """Patches of the targets, variate tokens of the drivers.

    Parameters
    ----------
    sizes
        Widths of the inputs and the window.
    config
        Width, heads, layers, patch, layout.
    branches
        Decoders that share the drivers' tokens.

    Raises
    ------
    ValueError
        When patches do not fill the window.
    """

    def __init__(self, sizes: Sizes, config: TimeXerConfig, branches: int = 1) -> None:
        if sizes.window % config.patch:
            raise ValueError(
                f"networks.timexer.patch is {config.patch}, which does not divide the window of {sizes.window} months; "
                "choose a divisor, for example 12"
            )
        super().__init__(sizes, config)
        self.decoders = nn.ModuleList(
            PatchDecoder(sizes, config) if self.shared else SeriesDecoder(sizes, config) for _ in range(branches)
        )
