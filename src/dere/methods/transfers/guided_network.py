"""A network on towers that knows what a pre-trained one says of every month."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from dere.backbones import Sizes, make_backbone
from dere.layers.blueprint import Blueprint
from dere.layers.heads import LevelHead, StateHead
from dere.layers.inputs import Normaliser
from dere.layers.positive import EASE, shifted
from dere.methods.single_network import SingleNetwork
from dere.training.windows import MIXTURE, Windows


class Told(NamedTuple):
    """What the pre-trained network says of windows.

    Parameters
    ----------
    free
        (window, W, free) scaled free channels, weighted with the ages.
    hidden
        (window, W, width) what its head reads, weighted likewise.
    """

    free: Tensor
    hidden: Tensor

    def of(self, index: Tensor) -> Told:
        """What it says of some windows."""
        return Told(self.free[index], self.hidden[index])


def told_of(network: SingleNetwork, windows: Windows, device: str, size: int = 16) -> Told:
    """Ask a trained network, which is evaluated and never changed, once for all windows, ``size`` at a time."""
    free, hidden = [], []
    network.eval()
    with torch.no_grad():
        for index in torch.arange(len(windows)).split(size):
            drivers, static = (x.to(device) for x in windows.inputs(index))
            state = windows.before(index)[:, MIXTURE].to(device)
            weight = windows.weights(index).to(device)
            found = network.hidden(drivers, static, state, windows.ages.to(device))
            free.append(torch.einsum("bk,bkwf->bwf", weight, network.read(found, state)).cpu())
            hidden.append(torch.einsum("bk,bkwh->bwh", weight, found.unflatten(0, state.shape[:2])).cpu())
    return Told(torch.cat(free), torch.cat(hidden))


class GuidedNetwork(nn.Module):
    """One decoding of the age-weighted state, as `baseline`, with more inputs than drivers.

    Parameters
    ----------
    blueprint
        As for every network.
    hidden
        Width of `Told.hidden`.
    residual
        True: its output corrects what it is told, and is zero at first; it also sees `Told.hidden`. False: its output
        is its own.
    """

    def __init__(self, blueprint: Blueprint, hidden: int, residual: bool) -> None:
        super().__init__()
        exchange = blueprint.exchange
        self.residual = residual
        self.signed = [name in exchange.signed for name in exchange.free]
        self.normaliser = Normaliser(blueprint.statistics, exchange)
        drivers = blueprint.drivers + len(exchange.free) + (hidden if residual else 0)
        sizes = Sizes(drivers, blueprint.static, blueprint.condition, 0, blueprint.window, blueprint.raw)
        self.backbone = make_backbone(blueprint.backbone, sizes, blueprint.size)
        self.head: nn.Module
        if residual:
            self.head = nn.Linear(self.backbone.width, len(exchange.free))
            nn.init.zeros_(self.head.weight)
            nn.init.zeros_(self.head.bias)
        else:
            self.head = StateHead(self.backbone.width, self.normaliser.centre, exchange)
        self.level = LevelHead(blueprint.static, exchange)

    def forward(self, drivers: Tensor, static: Tensor, state: Tensor, ages: Tensor, told: Told) -> Tensor:
        """All outputs of windows, (B, W, output) physical.

        Parameters
        ----------
        drivers, static
            (B, W, D) and (B, S), physical.
        state, ages
            (B, 1, state) and (B, 1), weighted with the site's ages.
        told
            Of the same windows.
        """
        attributes = self.normaliser.static(static)
        # free channels span orders of magnitude between places, as states do
        known = [self.normaliser.drivers(drivers), torch.sign(told.free) * torch.log1p(told.free.abs())]
        x = torch.cat([*known, told.hidden] if self.residual else known, dim=-1)
        memory = self.backbone.encode(x, attributes)
        hidden = self.backbone.decode(memory, self.normaliser.condition(state, ages))
        if self.residual:
            free = corrected(told.free, self.head(hidden), self.signed)
        else:
            free = self.head(hidden, self.normaliser.start(state).flatten(0, 1))
        return self.normaliser.outputs(self.level(free, attributes))


def corrected(free: Tensor, correction: Tensor, signed: list[bool]) -> Tensor:
    """Apply a correction in scaled space; zero changes nothing, not even in rounding.

    Were zero to move a channel by rounding, the optimiser, which knows no size of a gradient, would learn from it.

    Parameters
    ----------
    free, correction
        (…, free).
    signed
        (free,) which may be negative; the others are corrected before their activation and stay non-negative.
    """
    moved = free + (shifted(free, correction, signed, EASE) - shifted(free, torch.zeros_like(free), signed, EASE))
    return torch.where(torch.tensor(signed, device=free.device), moved, moved.clamp_min(0.0))
