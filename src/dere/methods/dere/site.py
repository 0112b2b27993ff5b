"""DERE at sites: what stages 4 and 6 and the prediction share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from dere.methods.dere.networks.dere import DereNetwork, pure_outputs
from dere.methods.dere.networks.pure import PureNetwork
from dere.training.context import Context
from dere.training.loop import freeze
from dere.training.windows import MIXTURE, Windows
from dere.variables import PLANT_TYPES


def load_pure(context: Context) -> PureNetwork:
    """The frozen pure stands, on the context's device."""
    return freeze(context.load("pure", PureNetwork(context.blueprint)).to(context.device))


def pure_at(network: PureNetwork, windows: Windows, index: Tensor, device: str) -> Tensor:
    """Frozen outputs of the pure stands for windows ``index``, (B, A, 3, W, free) scaled."""
    drivers, static = windows.inputs(index)
    inputs = (drivers, static, windows.before(index), windows.ages)
    return pure_outputs(network, *(x.to(device) for x in inputs))


def cache_pure(network: PureNetwork, windows: Windows, index: Tensor, device: str, size: int = 16) -> Tensor:
    """Frozen outputs of windows ``index``, (window, A, 3, W, free); rows outside ``index`` are NaN."""
    free = len(network.normaliser.free)
    cache = torch.full((len(windows), len(windows.ages), len(PLANT_TYPES), windows.length, free), float("nan"))
    for batch in index.split(size):
        cache[batch] = pure_at(network, windows, batch, device).cpu()
    return cache


def cache_fractions(
    make: Callable[[], DereNetwork], windows: Windows, index: Tensor, device: str, frozen: Sequence[str], size: int = 16
) -> Tensor | None:
    """Fractions (window, A, Y, 3) of frozen plant types, NaN outside ``index``; None where towers change them.

    ``make`` gives a network at its start; the random numbers that this takes are given back.
    """
    if "plant_types" not in frozen:
        return None
    with torch.random.fork_rng(devices=[]):
        network = make().to(device).eval()
    cache = torch.full((len(windows), len(windows.ages), windows.length // 12, len(PLANT_TYPES)), float("nan"))
    with torch.no_grad():
        for batch in index.split(size):
            drivers, static = windows.inputs(batch)
            start = windows.observed(batch)[0][:, None].expand(-1, len(windows.ages), -1)
            inputs = (drivers, static, start, windows.ages)
            cache[batch] = network.plant_types(*(x.to(device) for x in inputs)).cpu()
    return cache


def forward(
    network: DereNetwork, windows: Windows, index: Tensor, pure: Tensor, device: str, yearly: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Outputs (B, W, output) and plant fractions (B, Y, 3) of windows ``index``.

    Parameters
    ----------
    pure
        Their pure outputs.
    yearly
        Their fractions per age where plant types are frozen; None = worked out.
    """
    drivers, static = windows.inputs(index)
    start, _ = windows.observed(index)
    state = windows.before(index)[:, MIXTURE]
    inputs = (pure, drivers, static, start, state, windows.ages, windows.weights(index))
    return network(*(x.to(device) for x in inputs), None if yearly is None else yearly.to(device))
