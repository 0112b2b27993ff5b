"""The network of the comparison methods: one sequence network, no plant types, no competition.

Any exchange can be predicted with it: without a simulation its condition is the stand age alone.
"""

from __future__ import annotations

from torch import Tensor, nn

from dere.backbones import Sizes, make_backbone
from dere.layers.blueprint import Blueprint
from dere.layers.heads import LevelHead, StateHead
from dere.layers.inputs import Normaliser


class SingleNetwork(nn.Module):
    """Baseline (one age-weighted decoding) and KGML (one decoding per age, then the age-weighted sum)."""

    def __init__(self, blueprint: Blueprint) -> None:
        super().__init__()
        self.normaliser = Normaliser(blueprint.statistics, blueprint.exchange)
        sizes = Sizes(blueprint.drivers, blueprint.static, blueprint.condition, 0, blueprint.window, blueprint.raw)
        self.backbone = make_backbone(blueprint.backbone, sizes, blueprint.size)
        self.head = StateHead(self.backbone.width, self.normaliser.centre, blueprint.exchange)
        self.level = LevelHead(blueprint.static, blueprint.exchange)

    def ages(self, drivers: Tensor, static: Tensor, state: Tensor, ages: Tensor) -> Tensor:
        """Scaled free channels per age, (B, k, W, free), from ``state`` (B, k, state)."""
        return self.read(self.hidden(drivers, static, state, ages), state)

    def hidden(self, drivers: Tensor, static: Tensor, state: Tensor, ages: Tensor) -> Tensor:
        """What the head reads, (B·k, W, width), sample-major; arguments as for `ages`."""
        memory = self.backbone.encode(self.normaliser.drivers(drivers), self.normaliser.static(static))
        return self.backbone.decode(memory, self.normaliser.condition(state, ages))

    def read(self, hidden: Tensor, state: Tensor) -> Tensor:
        """Scaled free channels (B, k, W, free) from what `hidden` gave."""
        initial = self.normaliser.start(state).flatten(0, 1)
        return self.head(hidden, initial).unflatten(0, state.shape[:2])

    def forward(self, drivers: Tensor, static: Tensor, state: Tensor, ages: Tensor, weights: Tensor) -> Tensor:
        """All outputs of a site, (B, W, output) physical: age-weighted sum, then level and amplitude."""
        free = (self.ages(drivers, static, state, ages) * weights[..., None, None]).sum(1)
        return self.normaliser.outputs(self.level(free, self.normaliser.static(static)))
