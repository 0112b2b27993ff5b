"""Small adapters on the frozen pure stands: one shift and stretch per plant type and channel."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dere.exchange import Exchange
from dere.layers.positive import FLOOR, correct, inverse_positive
from dere.variables import PLANT_TYPES


class TypeAdapter(nn.Module):
    """Recalibrates the fluxes of each plant type with two numbers per channel; starts as the identity.

    The adapters act on cached outputs, so that the pure decoders themselves stay frozen bit by bit, and are few
    enough (18 numbers) to be learned from a handful of towers.
    """

    def __init__(self, exchange: Exchange) -> None:
        super().__init__()
        self.channels = [exchange.free.index(name) for group in exchange.level_groups for name in group]
        shape = (len(PLANT_TYPES), 1, len(self.channels))
        self.shift = nn.Parameter(torch.zeros(shape))
        self.stretch = nn.Parameter(torch.zeros(shape))

    def forward(self, pure: Tensor) -> Tensor:
        """Adjust (…, 3, W, 7) scaled outputs."""
        channels = self.channels
        raw = inverse_positive(pure[..., channels] + FLOOR)
        move = self.shift + torch.tanh(self.stretch) * raw.clamp(-4, 4)
        # made from the move, which differs between the members of an ensemble where the pure outputs are theirs all
        correction = move.new_zeros(pure.shape)
        correction[..., channels] = move
        return correct(pure, correction)
