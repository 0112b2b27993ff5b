"""What physics alone expects of GPP, Ra and Rh, from the knowledge channels of a month (docs/method.md#gate).

GPP is the P-model's light-use efficiency times the light that satellites see absorbed (Stocker and others 2020, doi
10.5194/gmd-13-1545-2020), Rh the temperature response of Lloyd and Taylor (1994, doi 10.2307/2389824, eq. 11), and Ra a
fixed share of GPP (Waring and others 1998, doi 10.1093/treephys/18.2.129).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dere.knowledge.light_use import PPFD
from dere.layers.blueprint import Blueprint

FLUXES = ("gpp", "ra", "rh")
SATELLITES = ("potential_gpp_lai", "potential_gpp_evi")
YIELD = "light_use_efficiency"
RESPONSE = "lloyd_taylor"
REALISED = 0.8
"""Share of the potential GPP that stands realise; the P-model knows no limits but light, air and CO2."""
RESPIRED = 0.5
"""Share of GPP that plants respire."""
RESPIRATION = 1.0
"""Rh at 10 degC, gC m-2 d-1."""
ABSORBED = 0.5
"""Share of light that is absorbed where no satellite says it."""


class Potential(nn.Module):
    """Potentials of GPP, Ra and Rh in units of their standard deviation; levels are learned, shapes are not.

    Parameters
    ----------
    blueprint
        Its drivers must hold the knowledge channels.
    scale
        (3,) standard deviations of GPP, Ra and Rh, gC m-2 d-1.

    Raises
    ------
    ValueError
        When the drivers lack the knowledge channels.
    """

    def __init__(self, blueprint: Blueprint, scale: Tensor) -> None:
        super().__init__()
        names = blueprint.driver_names
        self.seen = [names.index(name) for name in SATELLITES if name in names]
        light = [name for name in names if name == "shortwave" or name.startswith("shortwave_h")]
        if RESPONSE not in names or YIELD not in names or not (self.seen or light):
            raise ValueError(
                f"the drivers hold no {RESPONSE} and {YIELD}, from which physics speaks beside the stands; set "
                "harmonise.channels to knowledge, or stages.towers.head and stages.uncertain.head to stands"
            )
        self.light = [names.index(name) for name in light]
        self.efficiency, self.response = names.index(YIELD), names.index(RESPONSE)
        self.level = nn.Parameter(torch.zeros(len(FLUXES)))
        self.register_buffer("scale", scale.clone(), persistent=False)
        self.scale: Tensor

    def forward(self, drivers: Tensor) -> Tensor:
        """(B, W, D) physical drivers to (B, W, 3) scaled, non-negative."""
        if self.seen:
            gpp = drivers[..., self.seen].mean(-1)
        else:
            gpp = drivers[..., self.efficiency] * PPFD * drivers[..., self.light].mean(-1) * ABSORBED
        gpp = REALISED * gpp.clamp_min(0.0)
        respired = RESPIRATION * drivers[..., self.response].clamp_min(0.0)
        potential = torch.stack([gpp, RESPIRED * gpp, respired], dim=-1)
        return potential / self.scale * self.level.exp()
