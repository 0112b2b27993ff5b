"""The DERE forward pass at a site: frozen pure stands, learned plant types, competition, level (docs/method.md)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dere.layers.blueprint import Blueprint
from dere.layers.heads import LevelHead
from dere.methods.dere.networks.adapter import TypeAdapter
from dere.methods.dere.networks.competition import CompetitionNetwork
from dere.methods.dere.networks.gate import Gate
from dere.methods.dere.networks.plant_types import PlantTypeNetwork
from dere.methods.dere.networks.pure import PureNetwork
from dere.methods.dere.settings import Head
from dere.variables import PLANT_TYPES


@torch.no_grad()
def pure_outputs(network: PureNetwork, drivers: Tensor, static: Tensor, state: Tensor, ages: Tensor) -> Tensor:
    """Frozen outputs of the pure decoders, computed once and cached.

    Parameters
    ----------
    network
        Trained; put in eval mode here.
    drivers, static
        (B, W, D), (B, S).
    state
        (B, 4, k, 10): initial states by stand (BL, NL, GS, mixture) and age.
    ages
        (k,) years.

    Returns
    -------
    Tensor
        (B, k, 3, W, 7) scaled.
    """
    network.eval()
    memory = network.encode(drivers, static)
    return torch.stack([network.decode(memory, state[:, p], ages, p) for p in range(len(PLANT_TYPES))], dim=2)


def weight_types(pure: Tensor, fractions: Tensor) -> Tensor:
    """Fraction-weighted sum over plant types.

    Parameters
    ----------
    pure
        (B, k, 3, W, 7).
    fractions
        (B, k, W, 3).

    Returns
    -------
    Tensor
        (B, k, W, 7); linear, so closure survives.
    """
    return torch.einsum("bkpwc,bkwp->bkwc", pure, fractions)


def monthly(yearly: Tensor) -> Tensor:
    """Repeat (B, k, Y, 3) yearly fractions over the months: (B, k, 12·Y, 3)."""
    return yearly.repeat_interleave(12, dim=2)


class DereNetwork(nn.Module):
    """Everything of DERE that is trained at towers; the pure stands come in as cached arrays."""

    def __init__(self, blueprint: Blueprint, adapters: bool = False, head: Head = "stands") -> None:
        super().__init__()
        self.adapter = TypeAdapter(blueprint.exchange) if adapters else None
        self.competition = CompetitionNetwork(blueprint)
        self.gate = None if head == "stands" else Gate(blueprint, self.competition.normaliser, head)
        self.plant_types = PlantTypeNetwork(blueprint)
        self.level = LevelHead(blueprint.static, blueprint.exchange)

    def forward(
        self,
        pure: Tensor,
        drivers: Tensor,
        static: Tensor,
        start: Tensor,
        state: Tensor,
        ages: Tensor,
        weights: Tensor,
        yearly: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Predict a site.

        Parameters
        ----------
        pure
            (B, k, 3, W, 7) cached scaled outputs of the pure stands.
        drivers, static
            (B, W, D), (B, S).
        start
            (B, 3) observed plant fractions before the window, the same for all ages.
        state
            (B, k, 10) simulated state of the mixture per age in the month before the window.
        ages
            (k,) years.
        weights
            (B, k) observed age weights.
        yearly
            (B, k, W / 12, 3) cached fractions of frozen plant types; None = worked out here.

        Returns
        -------
        tuple
            Targets (B, W, 10) physical and age-weighted plant fractions (B, W / 12, 3).
        """
        k = pure.shape[1]
        if self.adapter is not None:
            pure = self.adapter(pure)
        if yearly is None:
            yearly = self.plant_types(drivers, static, start[:, None].expand(-1, k, -1), ages)
        fractions = monthly(yearly)
        weighted = torch.einsum("bk,bkwc->bwc", weights, weight_types(pure, fractions))
        if self.gate is not None:
            weighted = self.gate(weighted, drivers)
        mean_fraction = torch.einsum("bk,bkyp->byp", weights, yearly)
        mean_state = torch.einsum("bk,bkt->bt", weights, state)[:, None]
        mean_age = (weights * ages).sum(1, keepdim=True)
        free = self.competition(
            drivers, static, weighted[:, None], mean_state, mean_age, monthly(mean_fraction[:, None])
        )[:, 0]
        normaliser = self.competition.normaliser
        free = self.level(free, normaliser.static(static))
        return normaliser.outputs(free), mean_fraction
