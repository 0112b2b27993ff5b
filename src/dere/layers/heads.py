"""Heads on top of a backbone: positive state channels with closure, and a site's level and amplitude."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dere.exchange import Exchange
from dere.layers.positive import FLOOR, inverse_positive, positive, shifted


class StateHead(nn.Module):
    """Hidden sequence to the free channels of an exchange, in units of their standard deviation.

    Channels start at the training mean; slow states (height, biomass, soil carbon) are the initial state plus a change
    in pre-activation, because they move little within a window. Channels that may be negative are not activated.
    """

    def __init__(self, width: int, centre: Tensor, exchange: Exchange) -> None:
        super().__init__()
        self.slow = [exchange.free.index(name) for name in exchange.slow]
        self.signed = [exchange.free.index(name) for name in exchange.signed]
        self.out = nn.Linear(width, len(exchange.free))
        with torch.no_grad():
            self.out.weight.mul_(0.1)
            bias = inverse_positive(centre.float())
            bias[self.signed] = centre.float()[self.signed]
            self.out.bias.copy_(bias)
            self.out.bias[self.slow] = 0.0

    def forward(self, hidden: Tensor, initial: Tensor) -> Tensor:
        """Map ``hidden`` (N, W, width) and ``initial`` (N, free) scaled state to (N, W, free) scaled."""
        raw = self.out(hidden)
        start = torch.zeros_like(initial)
        start[..., self.slow] = inverse_positive(initial[..., self.slow].clamp_min(0.0) + FLOOR)
        raw = raw + start[:, None]
        scaled = positive(raw)
        if self.signed:
            scaled[..., self.signed] = raw[..., self.signed]
        return scaled


class LevelHead(nn.Module):
    """Level and amplitude of a site, from what is known without its fluxes.

    Most of the error at an unseen site is its level and amplitude (docs/method.md). The head shifts and stretches the
    pre-activation of each group of channels (for CO2 GPP, and Ra and Rh together) by amounts constant in time; it
    starts at zero.

    Parameters
    ----------
    static
        Number of static attributes.
    exchange
        Its ``level_groups`` of free channels move together.
    hidden
        Width of its hidden layer.
    dropout
        Share of features dropped; the towers are few.
    """

    def __init__(self, static: int, exchange: Exchange, hidden: int = 24, dropout: float = 0.2) -> None:
        super().__init__()
        self.channels = [exchange.free.index(name) for group in exchange.level_groups for name in group]
        self.group = [number for number, group in enumerate(exchange.level_groups) for _ in group]
        self.signed = [name in exchange.signed for group in exchange.level_groups for name in group]
        self.free_signed = [name in exchange.signed for name in exchange.free]
        last = nn.Linear(hidden, 2 * len(exchange.level_groups))
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(
            nn.Linear(static + 2 * len(exchange.free), hidden), nn.GELU(), nn.Dropout(dropout), last
        )

    def forward(self, free: Tensor, static: Tensor) -> Tensor:
        """Adjust ``free`` (B, W, free), scaled, with normalised ``static`` (B, S)."""
        summary = torch.cat([static, self._compressed(free.mean(1)), torch.log1p(free.std(1))], dim=-1)
        moves = self.layers(summary).unflatten(-1, (-1, 2))[:, self.group]
        level, stretch = moves[..., 0][:, None], moves[..., 1][:, None]
        chosen = free[..., self.channels]
        raw = self._raw(chosen)
        # the stretch is bounded so that a wild extrapolation of the statics cannot invert the seasons
        move = level + torch.tanh(stretch) * (raw - raw.mean(1, keepdim=True)).clamp(-3, 3)
        correction = torch.zeros_like(free)
        correction[..., self.channels] = move
        return shifted(free, correction, self.free_signed)

    def _raw(self, chosen: Tensor) -> Tensor:
        """Pre-activation of the channels; those that may be negative have none."""
        if not any(self.signed):
            return inverse_positive(chosen + FLOOR)
        mask = torch.tensor(self.signed, device=chosen.device)
        return torch.where(mask, chosen, inverse_positive(chosen.clamp_min(0.0) + FLOOR))

    def _compressed(self, mean: Tensor) -> Tensor:
        """Logarithm of the magnitude of each channel's mean, with its sign where a channel may be negative."""
        if not any(self.signed):
            return torch.log1p(mean)
        return torch.sign(mean) * torch.log1p(mean.abs())
