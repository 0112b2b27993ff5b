"""Stages 4 and 6: DERE at towers, on observed labels and then on expanded, uncertain ones."""

from __future__ import annotations

import torch
from torch import Tensor

from dere.models.competition import CompetitionNetwork
from dere.models.dere import DereNetwork, pure_outputs
from dere.models.plant_types import PlantTypeNetwork
from dere.models.pure import PureNetwork
from dere.training.context import Context
from dere.training.loop import freeze
from dere.training.sites import SiteWindows
from dere.variables import MIXTURE


def build(context: Context, adapters: bool) -> DereNetwork:
    """Untrained network of the tower stages."""
    arguments = context.network_arguments()
    return DereNetwork(
        CompetitionNetwork(*arguments), PlantTypeNetwork(*arguments), len(context.statistics.static_mean), adapters
    )


def load_pure(context: Context) -> PureNetwork:
    """The frozen pure stands, on the context's device."""
    model = PureNetwork(*context.network_arguments())
    context.load("pure", model)
    freeze(model.to(context.device))
    return model


def cache_pure(network: PureNetwork, windows: SiteWindows, index: Tensor, device: str, size: int = 16) -> Tensor:
    """Frozen outputs of windows ``index``, in a (n, A, 3, W, 7) array; rows outside ``index`` are NaN."""
    shape = (len(windows), len(windows.ages), 3, windows.drivers.shape[1], 7)
    cache = torch.full(shape, float("nan"))
    for batch in index.split(size):
        cache[batch] = pure_outputs(
            network,
            windows.drivers[batch].to(device),
            windows.static[batch].to(device),
            windows.initial[batch].to(device),
            windows.ages.to(device),
        ).cpu()
    return cache


def forward(
    network: DereNetwork, windows: SiteWindows, index: Tensor, pure: Tensor, device: str
) -> tuple[Tensor, Tensor]:
    """Targets (B, W, 10) and plant fractions (B, Y, 3) of windows ``index`` from their pure outputs ``pure``."""
    return network(
        pure.to(device),
        windows.drivers[index].to(device),
        windows.static[index].to(device),
        windows.start_fraction[index].to(device),
        windows.initial[index, MIXTURE].to(device),
        windows.ages.to(device),
        windows.weights[index].to(device),
    )
