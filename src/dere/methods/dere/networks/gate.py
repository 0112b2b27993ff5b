"""The gate by which physics speaks beside the stands (docs/method.md#gate)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dere.layers.blueprint import Blueprint
from dere.layers.inputs import Normaliser
from dere.layers.positive import EASE, inverse_positive, positive
from dere.methods.dere.networks.potential import FLUXES, Potential
from dere.methods.dere.settings import Head
from dere.training.optimiser import mark

RATE = 10.0
"""Three numbers that must find their place within a few hundred small steps."""


class Gate(nn.Module):
    """Mixes stands S and potentials P in pre-activation: u = (1 - g) sp⁻¹(S + ε) + g sp⁻¹(P + ε), with sp the softplus.

    Each of GPP, Ra and Rh has one g, which starts at one half. The mixture sp(u) - ε is non-negative, and what the
    competition network then shifts and stretches is u, as without the gate.

    Parameters
    ----------
    blueprint
        What the network is built from.
    normaliser
        Gives the scale of the channels.
    head
        ``both``, or ``physics``, where g is one and the stands are silent (that is not DERE).
    """

    def __init__(self, blueprint: Blueprint, normaliser: Normaliser, head: Head) -> None:
        super().__init__()
        self.channels = [blueprint.exchange.free.index(name) for name in FLUXES]
        self.potential = Potential(blueprint, normaliser.scale[self.channels])
        start = torch.zeros(len(FLUXES))
        self.raw = nn.Parameter(start) if head == "both" else None
        for parameter in self.parameters():
            mark(parameter, RATE)
        if self.raw is not None:
            # decay would draw the share to one half, so that it said nothing about physics
            mark(self.raw, RATE, decays=False)

    def share(self) -> Tensor:
        """(3,) share of physics in GPP, Ra and Rh, 0 to 1."""
        return torch.ones(len(FLUXES)) if self.raw is None else torch.sigmoid(self.raw)

    def forward(self, stands: Tensor, drivers: Tensor) -> Tensor:
        """Mix.

        Parameters
        ----------
        stands
            (B, W, free) scaled sums of the stands, non-negative.
        drivers
            (B, W, D) physical.

        Returns
        -------
        Tensor
            (B, W, free); channels without a potential are those of the stands.
        """
        share = self.share().to(stands.device)
        own = inverse_positive(stands[..., self.channels] + EASE)
        physics = inverse_positive(self.potential(drivers) + EASE)
        mixed = (positive((1 - share) * own + share * physics) - EASE).clamp_min(0.0)
        columns = [stands[..., channel] for channel in range(stands.shape[-1])]
        for place, channel in enumerate(self.channels):
            columns[channel] = mixed[..., place]
        return torch.stack(columns, dim=-1)
