"""The network of the comparison methods: one sequence network, no plant types, no competition (dere-reference 4)."""

from __future__ import annotations

from torch import Tensor, nn

from dere.backbones import Sizes, make_backbone
from dere.config.network import BackboneConfig
from dere.models.heads import LevelHead, StateHead
from dere.models.inputs import CONDITION_WIDTH, Normaliser, Statistics, to_targets
from dere.physics import FREE_INDEX


class SingleNetwork(nn.Module):
    """Baseline (one age-weighted decoding) and KGML (one decoding per age, then the age-weighted sum)."""

    def __init__(self, name: str, config: BackboneConfig, window: int, statistics: Statistics) -> None:
        super().__init__()
        self.normaliser = Normaliser(statistics)
        drivers, static = len(statistics.driver_mean), len(statistics.static_mean)
        self.backbone = make_backbone(name, Sizes(drivers, static, CONDITION_WIDTH, 0, window), config)
        self.head = StateHead(self.backbone.width, self.normaliser.centre)
        self.level = LevelHead(static)

    def ages(self, drivers: Tensor, static: Tensor, state: Tensor, ages: Tensor) -> Tensor:
        """Scaled free channels per age, (B, k, W, 7), from ``state`` (B, k, 10)."""
        memory = self.backbone.encode(self.normaliser.drivers(drivers), self.normaliser.static(static))
        hidden = self.backbone.decode(memory, self.normaliser.condition(state, ages))
        initial = (state[..., list(FREE_INDEX)] / self.normaliser.scale).flatten(0, 1)
        return self.head(hidden, initial).unflatten(0, state.shape[:2])

    def forward(self, drivers: Tensor, static: Tensor, state: Tensor, ages: Tensor, weights: Tensor) -> Tensor:
        """All ten targets of a site, (B, W, 10) physical: age-weighted sum, then level and amplitude."""
        free = (self.ages(drivers, static, state, ages) * weights[..., None, None]).sum(1)
        return to_targets(self.level(free, self.normaliser.static(static)), self.normaliser.scale)
