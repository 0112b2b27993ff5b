"""Pure stands: three decoders on a shared encoder (stage 1a, docs/method.md#stages)."""

from __future__ import annotations

from torch import Tensor, nn

from dere.backbones import Sizes, make_backbone
from dere.layers.blueprint import Blueprint
from dere.layers.heads import StateHead
from dere.layers.inputs import Normaliser
from dere.variables import PLANT_TYPES


class PureNetwork(nn.Module):
    """Emulates the simulation of pure BL, NL and GS stands of any age."""

    def __init__(self, blueprint: Blueprint) -> None:
        super().__init__()
        self.normaliser = Normaliser(blueprint.statistics, blueprint.exchange)
        sizes = Sizes(blueprint.drivers, blueprint.static, blueprint.condition, 0, blueprint.window, blueprint.raw)
        self.backbone = make_backbone(blueprint.backbone, sizes, blueprint.size, branches=len(PLANT_TYPES))
        self.heads = nn.ModuleList(
            StateHead(self.backbone.width, self.normaliser.centre, blueprint.exchange) for _ in PLANT_TYPES
        )

    def encode(self, drivers: Tensor, static: Tensor) -> Tensor:
        """Encode physical ``drivers`` (B, W, D) and ``static`` (B, S) once for all ages and types."""
        return self.backbone.encode(self.normaliser.drivers(drivers), self.normaliser.static(static))

    def decode(self, memory: Tensor, state: Tensor, ages: Tensor, branch: int) -> Tensor:
        """Decode one plant type.

        Parameters
        ----------
        memory
            From `encode`.
        state
            (B, k, 10) physical state of the pure stand in the month before the window.
        ages
            (k,) or (B, k) years.
        branch
            Index into `dere.variables.PLANT_TYPES`.

        Returns
        -------
        Tensor
            (B, k, W, 7) scaled free channels.
        """
        hidden = self.backbone.decode(memory, self.normaliser.condition(state, ages), None, branch)
        initial = self.normaliser.start(state).flatten(0, 1)
        return self.heads[branch](hidden, initial).unflatten(0, state.shape[:2])
