"""Decoder of the networks with one token per month: Transformer and Informer."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from dere.backbones.declaration import Sizes
from dere.config.network import MonthTokenConfig
from dere.layers.attention import Attention, FeedForward
from dere.layers.conditioning import Modulation


class ConditionCode(nn.Module):
    """Condition vector (N, C) to (N, width)."""

    def __init__(self, condition: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(condition, width), nn.GELU(), nn.Linear(width, width))

    def forward(self, condition: Tensor) -> Tensor:
        """(N, C) to (N, width)."""
        return self.layers(condition)


def start(memory: Tensor, code: Tensor, project: nn.Linear | None, dynamic: Tensor | None) -> Tensor:
    """Decoder input (B·k, W, width): the time-aligned memory (B, W, width), the condition and what varies in time.

    Raises
    ------
    ValueError
        When the network was built with time-varying inputs and none are given.
    """
    x = memory.repeat_interleave(code.shape[0] // memory.shape[0], dim=0) + code[:, None]
    if project is None:
        return x
    return x + project(require_dynamic(dynamic))


def require_dynamic(dynamic: Tensor | None) -> Tensor:
    """The time-varying inputs (B·k, W, Q) of a decoder that was built with some.

    Raises
    ------
    ValueError
        When none are given.
    """
    if dynamic is None:
        raise ValueError("this decoder was built with time-varying inputs; pass `dynamic`")
    return dynamic


class DecoderLayer(nn.Module):
    """Optional causal self-attention, cross-attention to the shared memory, feed-forward, condition.

    Parameters
    ----------
    config
        Width, heads, norms, whether there is a self-attention.
    self_attention
        Makes the self-attention where there is one.
    """

    def __init__(self, config: MonthTokenConfig, self_attention: Callable[[], nn.Module]) -> None:
        super().__init__()
        published = config.decoder_self_attention
        self.after = config.norms == "after"
        self.self_attention = self_attention() if published else None
        self.self_norm = nn.LayerNorm(config.width) if published else nn.Identity()
        self.cross_attention = Attention(config.width, config.heads)
        self.feedforward = FeedForward(config.width, config.feedforward, config.dropout)
        self.norms = nn.ModuleList(nn.LayerNorm(config.width) for _ in range(2))
        self.modulation = Modulation(config.width, config.width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, memory: Tensor, condition: Tensor, valid: Tensor | None = None) -> Tensor:
        """``x`` (B·k, W, width), ``memory`` (B, M, width), ``condition`` (B·k, width), ``valid`` (B, M)."""
        own = None if valid is None else valid.repeat_interleave(len(x) // len(valid), dim=0)
        if self.after:
            return self._norms_after(x, memory, condition, valid, own)
        if self.self_attention is not None:
            y = self.self_norm(x)
            x = x + self.dropout(self.self_attention(y, y, causal=True, valid=own))
        x = x + self.dropout(self.cross_attention(self.modulation(self.norms[0](x), condition), memory, valid=valid))
        return x + self.dropout(self.feedforward(self.modulation(self.norms[1](x), condition)))

    def _norms_after(
        self, x: Tensor, memory: Tensor, condition: Tensor, valid: Tensor | None, own: Tensor | None
    ) -> Tensor:
        """As published: each sub-layer reads the normed sum of the one before."""
        if self.self_attention is not None:
            x = self.self_norm(x + self.dropout(self.self_attention(x, x, causal=True, valid=own)))
        x = self.norms[0](x + self.dropout(self.cross_attention(self.modulation(x, condition), memory, valid=valid)))
        return self.norms[1](x + self.dropout(self.feedforward(self.modulation(x, condition))))


class Decoder(nn.Module):
    """One branch: condition and time-varying inputs meet the time-aligned memory.

    Parameters
    ----------
    sizes
        Widths of the inputs and the window.
    config
        Width, heads, layers.
    self_attention
        See `DecoderLayer`.
    """

    def __init__(self, sizes: Sizes, config: MonthTokenConfig, self_attention: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.condition = ConditionCode(sizes.condition, config.width)
        self.dynamic = nn.Linear(sizes.dynamic, config.width) if sizes.dynamic else None
        self.layers = nn.ModuleList(DecoderLayer(config, self_attention) for _ in range(config.decoder_layers))
        self.norm = nn.LayerNorm(config.width)
        self.modulation = Modulation(config.width, config.width)

    def forward(
        self, tokens: Tensor, memory: Tensor, condition: Tensor, dynamic: Tensor | None, valid: Tensor | None = None
    ) -> Tensor:
        """Decode.

        Parameters
        ----------
        tokens
            (B, W, width), one per month.
        memory
            (B, M, width), what the cross-attention reads.
        condition
            (B·k, C).
        dynamic
            (B·k, W, Q) or None.
        valid
            (B, M), false where a month is padding; None = all are valid.

        Returns
        -------
        Tensor
            (B·k, W, width).
        """
        code = self.condition(condition)
        x = start(tokens, code, self.dynamic, dynamic)
        for layer in self.layers:
            x = layer(x, memory, code, valid)
        return self.modulation(self.norm(x), code)
