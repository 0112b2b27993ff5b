"""Frozen outputs of the pure stands, computed once per stage."""

from __future__ import annotations

import torch
from torch import Tensor

from dere.methods.dere.networks.dere import pure_outputs, weight_types
from dere.methods.dere.networks.pure import PureNetwork
from dere.training.windows import Windows


def weighted_pure(
    network: PureNetwork, windows: Windows, index: Tensor, device: str, size: int = 16
) -> dict[int, Tensor]:
    """Fraction-weighted pure outputs of cell windows, by window.

    Parameters
    ----------
    network
        Trained pure network; it is evaluated, never changed.
    index
        Windows wanted.
    size
        Windows per batch.

    Returns
    -------
    dict
        Window to (A, W, 7) scaled, weighted with the simulated fractions of each age.
    """
    cache: dict[int, Tensor] = {}
    for batch in index.split(size):
        drivers, static = (x.to(device) for x in windows.inputs(batch))
        pure = pure_outputs(network, drivers, static, windows.before(batch).to(device), windows.ages.to(device))
        _, fractions = windows.simulated_fractions(batch)
        mixed = weight_types(pure, fractions.repeat_interleave(12, dim=2).to(device)).cpu()
        cache.update(zip(batch.tolist(), mixed, strict=True))
    return cache


def gather(cache: dict[int, Tensor], index: Tensor) -> Tensor:
    """(B, A, W, 7) of windows ``index``."""
    return torch.stack([cache[int(i)] for i in index])
