"""A network that a code of the site modulates: any backbone, its drivers and decoded months scaled and shifted."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dere.backbones import Sizes, make_backbone
from dere.layers.blueprint import Blueprint
from dere.layers.heads import LevelHead, StateHead
from dere.layers.inputs import Normaliser
from dere.layers.recurrent import Recurrent
from dere.methods.tamrl.description import KINDS, Own
from dere.training.optimiser import mark

HIDDEN = 32
"""Width of the recurrent layer over calendar months and of hidden layers."""
DROPOUT = 0.2
"""Share of the code dropped where it modulates."""


class TaskEncoder(nn.Module):
    """Description of a site to its code.

    Layer norm, no batch norm: the code of a site does not depend on which sites stand beside it.
    """

    def __init__(self, blueprint: Blueprint, code: int) -> None:
        super().__init__()
        fluxes = len(blueprint.exchange.names)
        self.calendar = Recurrent(KINDS * blueprint.drivers + 2 * fluxes, HIDDEN, "gru", both=True)
        self.layers = nn.Sequential(
            nn.Linear(2 * HIDDEN + blueprint.static + 2 * fluxes, HIDDEN),
            nn.LayerNorm(HIDDEN),
            nn.GELU(),
            nn.Linear(HIDDEN, code),
        )

    def forward(self, climatology: Tensor, static: Tensor, own: Own) -> Tensor:
        """Code (B, code) of normalised ``climatology`` (B, 12, kind * driver) and ``static`` (B, S)."""
        # the year has no end: all its states count alike
        year = self.calendar(torch.cat([climatology, own.monthly], dim=-1)).mean(1)
        code: Tensor = self.layers(torch.cat([year, static, own.overall], dim=-1))
        return code


class CodeModulation(nn.Module):
    """Scale and shift of a sequence, each by a number of its own per channel; starts as the identity."""

    def __init__(self, code: int, width: int) -> None:
        super().__init__()
        last = nn.Linear(HIDDEN, 2 * width)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(code, HIDDEN), nn.GELU(), last)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """Modulate ``x`` (B, W, width) by ``code`` (B, code)."""
        scale, shift = self.layers(code)[:, None].chunk(2, dim=-1)
        return x * (1 + scale) + shift


class ModulatedNetwork(nn.Module):
    """One decoding of the age-weighted state, as `baseline`, by a network that knows a site by its code alone.

    Parameters
    ----------
    blueprint
        As for every network.
    code
        Width of the code.
    """

    def __init__(self, blueprint: Blueprint, code: int) -> None:
        super().__init__()
        self.normaliser = Normaliser(blueprint.statistics, blueprint.exchange)
        self.channels = blueprint.exchange.of_outputs(blueprint.exchange.names)
        self.code_width = code
        sizes = Sizes(blueprint.drivers, 1, blueprint.condition, 0, blueprint.window, blueprint.raw)
        self.backbone = make_backbone(blueprint.backbone, sizes, blueprint.size)
        self.head = StateHead(self.backbone.width, self.normaliser.centre, blueprint.exchange)
        self.level = LevelHead(code, blueprint.exchange)
        self.task = TaskEncoder(blueprint, code)
        self.inward = CodeModulation(code, blueprint.drivers)
        self.outward = CodeModulation(code, self.backbone.width)

    @property
    def scale(self) -> Tensor:
        """Units of the errors at own months, (flux,)."""
        return self.normaliser.target_std[self.channels]

    def code(self, climatology: Tensor, static: Tensor, own: Own) -> Tensor:
        """Code (B, code) of a physical description; see `dere.methods.tamrl.description`."""
        std = self.normaliser.driver_std
        parts = [self.normaliser.drivers(climatology[:, :, 0]), climatology[:, :, 1] / std, climatology[:, :, 2] / std]
        coded: Tensor = self.task(torch.cat(parts, dim=-1), self.normaliser.static(static), own)
        return coded

    def forward(self, drivers: Tensor, state: Tensor, ages: Tensor, code: Tensor | None = None) -> Tensor:
        """All outputs of windows, (B, W, output) physical.

        Parameters
        ----------
        drivers
            (B, W, D) physical.
        state, ages
            (B, 1, state) and (B, 1), weighted with the site's ages.
        code
            From `code`; None = the network without any description of a site.
        """
        x = self.normaliser.drivers(drivers)
        if code is not None:
            x = self.inward(x, code)
        # attributes speak through the code
        memory = self.backbone.encode(x, x.new_zeros(len(x), 1))
        hidden = self.backbone.decode(memory, self.normaliser.condition(state, ages))
        if code is not None:
            hidden = self.outward(hidden, code)
        free = self.head(hidden, self.normaliser.start(state).flatten(0, 1))
        known = x.new_zeros(len(x), self.code_width) if code is None else code
        return self.normaliser.outputs(self.level(free, known))

    def start_modulation(self, rate: float) -> None:
        """Let a code speak that was not there: nothing changes at first, and what has learned learns slower.

        Parameters
        ----------
        rate
            Learning rate of backbone and head relative to the rest.
        """
        first = self.level.layers[0]
        assert isinstance(first, nn.Linear)
        with torch.no_grad():
            # the head has seen zeros in place of a code
            first.weight[:, : self.code_width] = 0.0
        for part in (self.backbone, self.head):
            for parameter in part.parameters():
                mark(parameter, rate)
