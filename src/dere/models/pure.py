"""Pure stands: three decoders on a shared encoder (stage 1a, dere-reference 2.1)."""

from __future__ import annotations

from torch import Tensor, nn

from dere.backbones import Sizes, make_backbone
from dere.config.network import BackboneConfig
from dere.models.heads import StateHead
from dere.models.inputs import CONDITION_WIDTH, Normaliser, Statistics
from dere.physics import FREE_INDEX
from dere.variables import PLANT_TYPES


class PureNetwork(nn.Module):
    """Emulates the simulation of pure BL, NL and GS stands of any age.

    Parameters
    ----------
    name
        Registered backbone.
    config
        Its size.
    window
        Months of a window.
    statistics
        Of the training members.
    """

    def __init__(self, name: str, config: BackboneConfig, window: int, statistics: Statistics) -> None:
        super().__init__()
        self.normaliser = Normaliser(statistics)
        drivers, static = len(statistics.driver_mean), len(statistics.static_mean)
        sizes = Sizes(drivers, static, CONDITION_WIDTH, 0, window)
        self.backbone = make_backbone(name, sizes, config, branches=len(PLANT_TYPES))
        self.heads = nn.ModuleList(StateHead(self.backbone.width, self.normaliser.centre) for _ in PLANT_TYPES)

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
        initial = (state[..., list(FREE_INDEX)] / self.normaliser.scale).flatten(0, 1)
        return self.heads[branch](hidden, initial).unflatten(0, state.shape[:2])
