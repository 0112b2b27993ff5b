"""Heads on top of a backbone: positive state channels with closure, and a site's level and amplitude."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dere.layers.positive import FLOOR, correct, inverse_positive, positive
from dere.variables import FREE_TARGETS

SLOW = tuple(FREE_TARGETS.index(name) for name in ("height", "agb", "soil_carbon"))
FLUX_CHANNELS = tuple(FREE_TARGETS.index(name) for name in ("gpp", "ra", "rh"))


class StateHead(nn.Module):
    """Hidden sequence to the seven free channels, in units of their standard deviation.

    Fluxes and LAI start at the training mean; height, biomass and soil carbon are the initial state plus a change
    in pre-activation, because they move little within a window.
    """

    def __init__(self, width: int, centre: Tensor) -> None:
        super().__init__()
        self.out = nn.Linear(width, len(FREE_TARGETS))
        with torch.no_grad():
            self.out.weight.mul_(0.1)
            self.out.bias.copy_(inverse_positive(centre.float()))
            self.out.bias[list(SLOW)] = 0.0

    def forward(self, hidden: Tensor, initial: Tensor) -> Tensor:
        """Map ``hidden`` (N, W, width) and ``initial`` (N, 7) scaled state to (N, W, 7) scaled, non-negative."""
        raw = self.out(hidden)
        start = torch.zeros_like(initial)
        start[..., list(SLOW)] = inverse_positive(initial[..., list(SLOW)].clamp_min(0.0) + FLOOR)
        return positive(raw + start[:, None])


class LevelHead(nn.Module):
    """Level and amplitude of a site, from what is known without its fluxes.

    Most of the error at an unseen site is its level and amplitude (methods-and-results 1.3). The head shifts and
    stretches the pre-activation of GPP, and of Ra and Rh together, by amounts constant in time; it starts at zero.

    Parameters
    ----------
    static
        Number of static attributes.
    hidden
        Width of its hidden layer.
    dropout
        Share of features dropped; the towers are few.
    """

    def __init__(self, static: int, hidden: int = 24, dropout: float = 0.2) -> None:
        super().__init__()
        last = nn.Linear(hidden, 4)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(
            nn.Linear(static + 2 * len(FREE_TARGETS), hidden), nn.GELU(), nn.Dropout(dropout), last
        )

    def forward(self, free: Tensor, static: Tensor) -> Tensor:
        """Adjust ``free`` (B, W, 7), scaled, with normalised ``static`` (B, S)."""
        summary = torch.cat([static, torch.log1p(free.mean(1)), torch.log1p(free.std(1))], dim=-1)
        level_gpp, stretch_gpp, level_reco, stretch_reco = self.layers(summary).unbind(-1)
        level = torch.stack([level_gpp, level_reco, level_reco], dim=-1)[:, None]
        stretch = torch.stack([stretch_gpp, stretch_reco, stretch_reco], dim=-1)[:, None]
        channels = list(FLUX_CHANNELS)
        raw = inverse_positive(free[..., channels] + FLOOR)
        correction = torch.zeros_like(free)
        # the stretch is bounded so that a wild extrapolation of the statics cannot invert the seasons
        correction[..., channels] = level + torch.tanh(stretch) * (raw - raw.mean(1, keepdim=True)).clamp(-3, 3)
        return correct(free, correction)
