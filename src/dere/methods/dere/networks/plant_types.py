"""Plant-type fractions per stand age and year (stage 3, docs/method.md#stages)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dere.backbones import Sizes, make_backbone
from dere.layers.blueprint import Blueprint
from dere.layers.inputs import Normaliser
from dere.variables import PLANT_TYPES

SMALLEST = 1e-4
"""Smallest fraction that the start is told apart from; well below what a map resolves, as a larger one is an error."""


class PlantTypeNetwork(nn.Module):
    """Monthly drivers, a start and an age give yearly fractions that sum to one.

    Differs from the published network: monthly drivers are encoded and the hidden sequence is pooled twelve to one,
    so that every backbone serves here too; fractions are a softmax whose logits start at those of the start token,
    so that the untrained network predicts persistence.
    """

    def __init__(self, blueprint: Blueprint) -> None:
        super().__init__()
        self.normaliser = Normaliser(blueprint.statistics, blueprint.exchange)
        sizes = Sizes(blueprint.drivers, blueprint.static, len(PLANT_TYPES) + 1, 0, blueprint.window, blueprint.raw)
        self.backbone = make_backbone(blueprint.backbone, sizes, blueprint.size)
        self.out = nn.Linear(self.backbone.width, len(PLANT_TYPES))
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def encoder(self) -> list[nn.Module]:
        """Modules frozen when the network learns from observed maps: all but the decoders and the output."""
        return [module for name, module in self.backbone.named_children() if name != "decoders"]

    def forward(self, drivers: Tensor, static: Tensor, start: Tensor, ages: Tensor) -> Tensor:
        """Predict fractions.

        Parameters
        ----------
        drivers, static
            (B, W, D), (B, S), physical; W a multiple of 12.
        start
            (B, k, 3) fractions before the window.
        ages
            (k,) years.

        Returns
        -------
        Tensor
            (B, k, W / 12, 3); sums to 1 over the last axis.
        """
        memory = self.backbone.encode(self.normaliser.drivers(drivers), self.normaliser.static(static))
        logits = torch.log(start.clamp_min(SMALLEST))
        age = torch.log1p(ages.to(start.dtype)).expand(start.shape[:2])[..., None] / 3.0 - 1.0
        condition = torch.cat([logits / 2.0, age], dim=-1).flatten(0, 1)
        hidden = self.backbone.decode(memory, condition)
        yearly = hidden.unflatten(1, (-1, 12)).mean(2)
        change = self.out(yearly).unflatten(0, start.shape[:2])
        return torch.softmax(logits[:, :, None] + change, dim=-1)
