"""Competition: what a mixture is beyond the weighted sum of pure stands (stages 1b, 2; docs/method.md#stages)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dere.backbones import Sizes, make_backbone
from dere.layers.blueprint import Blueprint
from dere.layers.inputs import Normaliser
from dere.layers.positive import EASE, correct, inverse_positive
from dere.variables import PLANT_TYPES

# A sum of several standard deviations is not stretched further; from below, EASE bounds the pre-activation.
_LARGEST = 4.0


class CompetitionNetwork(nn.Module):
    """Corrects a weighted sum of pure stands in pre-activation; starts as no correction.

    Unlike the published residual in physical units, one learning rate serves channels of every scale, and the
    result stays positive without a dead ReLU (docs/deviations.md#competition). Each month's correction is a shift and
    a stretch of the sum's pre-activation: with a stretch of -1 the sum is overruled, which a shift alone could do only
    by learning the negative of whatever the pure stands say. At real towers that is often wrong (docs/decisions/0008).
    """

    def __init__(self, blueprint: Blueprint) -> None:
        super().__init__()
        self.normaliser = Normaliser(blueprint.statistics, blueprint.exchange)
        free = len(blueprint.exchange.free)
        sizes = Sizes(
            blueprint.drivers,
            blueprint.static,
            blueprint.condition,
            len(PLANT_TYPES) + free,
            blueprint.window,
            blueprint.raw,
        )
        self.backbone = make_backbone(blueprint.backbone, sizes, blueprint.size)
        self.out = nn.Linear(self.backbone.width, 2 * free)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(
        self, drivers: Tensor, static: Tensor, weighted: Tensor, state: Tensor, ages: Tensor, fractions: Tensor
    ) -> Tensor:
        """Correct k weighted sums per sample.

        Parameters
        ----------
        drivers, static
            (B, W, D), (B, S), physical.
        weighted
            (B, k, W, 7) scaled fraction-weighted sum of pure stands.
        state
            (B, k, 10) physical state of the mixture in the month before the window.
        ages
            (k,) or (B, k) years.
        fractions
            (B, k, W, 3).

        Returns
        -------
        Tensor
            (B, k, W, 7) scaled, non-negative.
        """
        memory = self.backbone.encode(self.normaliser.drivers(drivers), self.normaliser.static(static))
        raw = inverse_positive(weighted + EASE).clamp_max(_LARGEST)
        dynamic = torch.cat([fractions, raw], dim=-1).flatten(0, 1)
        hidden = self.backbone.decode(memory, self.normaliser.condition(state, ages), dynamic)
        shift, stretch = self.out(hidden).unflatten(0, weighted.shape[:2]).chunk(2, dim=-1)
        return correct(weighted, shift + torch.tanh(stretch) * raw, EASE)
