"""The Fourier version of FEDformer; see `dere.backbones.fedformer` for the paper, whose equations are named here.

Fourier blocks take the place of attention (eq. 3-4 and 6-7), and every sub-layer hands the trend on, past the next
ones, to the output (eq. 1-2). Differences from the published arrangement, and why:

- the frequencies of a block are saved with its weights: drawn anew at fine-tuning, they would meet weights of other
  frequencies;
- frequencies keep their place in the spectrum, as eq. 4's padding says, while the published block moves them to the
  lowest ones; months and features keep their order, while the published code reads (heads, features, months) as
  (months, heads, features); scores do not grow with the window, where the published tanh saturates; first weights are
  divided by the features of a head, not by the squared width, which starts the blocks at almost nothing.
  ``fourier: published`` restores all four;
- linear layers whose result the published code never uses (keys and values of a self block, values of a cross block)
  are left out;
- decoder queries start from the encoder's monthly states, modulated by the condition, instead of the history followed
  by zeros, so that decodings of a site share one encoding;
- trends are handed on in the model's width and meet the output head there, instead of a projection to channels;
- zero padding of the token convolution, repeated ends in the trend's convolution, instead of circular padding;
  ``circular`` restores it.

Not here: the wavelet version (eq. 8-9) and the mixture of several moving averages (eq. 10); the published comparison
uses neither.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dere.backbones.base import Backbone
from dere.backbones.declaration import Sizes
from dere.backbones.decoder import ConditionCode, start
from dere.backbones.fedformer import FEDformerConfig
from dere.layers.attention import sinusoid
from dere.layers.conditioning import Modulation
from dere.layers.embedding import MonthTokens
from dere.layers.fourier import FourierBlock, FourierCrossBlock, Trend


class SeasonalNorm(nn.Module):
    """Layer norm without its mean over time: what stays is the season."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, width) to the same."""
        y = self.norm(x)
        return y - y.mean(1, keepdim=True)


class Projected(nn.Module):
    """A Fourier block between linear layers, the place of an attention layer.

    Parameters
    ----------
    width
        Model width.
    block
        Called with the projected queries and, when ``cross``, the projected keys.
    cross
        Whether the block reads a memory.
    """

    def __init__(self, width: int, block: nn.Module, cross: bool = False) -> None:
        super().__init__()
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width) if cross else None
        self.block = block
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, memory: Tensor | None = None) -> Tensor:
        """``x`` (B·k, L, width), ``memory`` (B, M, width) when the block reads one."""
        if self.key is None:
            return self.out(self.block(self.query(x)))
        assert memory is not None
        return self.out(self.block(self.query(x), self.key(memory)))


class PlainFeedForward(nn.Module):
    """Feed-forward layer without biases, as FEDformer's point-wise convolutions."""

    def __init__(self, config: FEDformerConfig) -> None:
        super().__init__()
        self.first = nn.Linear(config.width, config.feedforward, bias=False)
        self.second = nn.Linear(config.feedforward, config.width, bias=False)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(…, width) to the same."""
        return self.dropout(self.second(self.dropout(F.gelu(self.first(x)))))


class EncoderLayer(nn.Module):
    """Fourier block and feed-forward; each leaves only its season."""

    def __init__(self, config: FEDformerConfig, block: nn.Module) -> None:
        super().__init__()
        self.mixing = Projected(config.width, block)
        self.feedforward = PlainFeedForward(config)
        self.trend = Trend(config.moving_average)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, W, width) to the same."""
        x, _ = self.trend(x + self.dropout(self.mixing(x)))
        return self.trend(x + self.feedforward(x))[0]


class DecoderLayer(nn.Module):
    """Fourier block, Fourier attention to the memory, feed-forward; the trends of all three are handed on."""

    def __init__(self, config: FEDformerConfig, window: int) -> None:
        super().__init__()
        arguments = config.width, config.heads, window, config.modes, config.fourier == "published"
        self.mixing = Projected(config.width, FourierBlock(*arguments))
        softmax = config.scores == "softmax"
        self.cross = Projected(config.width, FourierCrossBlock(*arguments, softmax=softmax), cross=True)
        self.feedforward = PlainFeedForward(config)
        self.trend = Trend(config.moving_average)
        self.onward = nn.Conv1d(config.width, config.width, 3, bias=False)
        self.ends = "circular" if config.circular else "replicate"
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Season and trend, (B·k, W, width) each, of ``x`` (B·k, W, width) with ``memory`` (B, W, width)."""
        x, first = self.trend(x + self.dropout(self.mixing(x)))
        x, second = self.trend(x + self.dropout(self.cross(x, memory)))
        x, third = self.trend(x + self.feedforward(x))
        trend = F.pad((first + second + third).transpose(1, 2), (1, 1), mode=self.ends)
        return x, self.onward(trend).transpose(1, 2)


class Decoder(nn.Module):
    """One branch."""

    def __init__(self, sizes: Sizes, config: FEDformerConfig) -> None:
        super().__init__()
        self.condition = ConditionCode(sizes.condition, config.width)
        self.dynamic = nn.Linear(sizes.dynamic, config.width) if sizes.dynamic else None
        self.trend = Trend(config.moving_average)
        self.layers = nn.ModuleList(DecoderLayer(config, sizes.window) for _ in range(config.decoder_layers))
        self.norm = SeasonalNorm(config.width)
        self.modulation = Modulation(config.width, config.width)

    def forward(self, memory: Tensor, condition: Tensor, dynamic: Tensor | None) -> Tensor:
        """``memory`` (B, W, 2 width), ``condition`` (B·k, C), ``dynamic`` (B·k, W, Q); returns (B·k, W, width)."""
        encoded, tokens = memory.chunk(2, dim=-1)
        code = self.condition(condition)
        season, trend = self.trend(start(tokens, code, self.dynamic, dynamic))
        for layer in self.layers:
            season, more = layer(season, encoded)
            trend = trend + more
        return self.modulation(self.norm(season) + trend, code)


class FEDformer(Backbone):
    """Time tokens; Fourier blocks shared by the encoder's layers. Parameters as the transformer's.

    Raises
    ------
    ValueError
        When the heads do not divide the width.
    """

    def __init__(self, sizes: Sizes, config: FEDformerConfig, branches: int = 1) -> None:
        super().__init__()
        if config.width % config.heads:
            raise ValueError(
                f"networks.fedformer.width is {config.width}, which {config.heads} heads do not divide; change one"
            )
        self.width = config.width
        self.tokens = MonthTokens(sizes.drivers, config.width, config.circular, bias=False)
        self.static = nn.Linear(sizes.static, config.width)
        # one block for all layers, as published
        block = FourierBlock(
            config.width, config.heads, sizes.window, config.modes, published=config.fourier == "published"
        )
        self.layers = nn.ModuleList(EncoderLayer(config, block) for _ in range(config.encoder_layers))
        self.norm = SeasonalNorm(config.width)
        self.decoders = nn.ModuleList(Decoder(sizes, config) for _ in range(branches))
        self.dropout = nn.Dropout(config.dropout)
        self.register_buffer("position", sinusoid(sizes.window, config.width), persistent=False)
        self.position: Tensor

    def encode(self, drivers: Tensor, static: Tensor) -> Tensor:
        """See `Backbone.encode`; memory is (B, W, 2 width): encoded season beside the tokens, whose trend it lost."""
        x = self.tokens(drivers) + self.position[: drivers.shape[1]] + self.static(static)[:, None]
        x = tokens = self.dropout(x)
        for layer in self.layers:
            x = layer(x)
        return torch.cat([self.norm(x), tokens], dim=-1)

    def decode(self, memory: Tensor, condition: Tensor, dynamic: Tensor | None = None, branch: int = 0) -> Tensor:
        """See `Backbone.decode`."""
        return self.decoders[branch](memory, condition, dynamic)
