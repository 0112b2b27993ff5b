"""Normalisation of inputs and states; the statistics travel in the checkpoint as buffers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dere.layers.positive import FLOOR
from dere.physics import FREE_INDEX, derive
from dere.variables import FREE_TARGETS, TARGETS


@dataclass(frozen=True)
class Statistics:
    """Means and standard deviations of the training members of one fold.

    Parameters
    ----------
    driver_mean, driver_std
        (D,), units of the stacked drivers.
    static_mean, static_std
        (S,).
    target_mean, target_std
        (10,), units of `dere.variables.TARGETS`.
    flux_mean, flux_std
        (3,), gC m-2 d-1, of training towers.
    """

    driver_mean: Tensor
    driver_std: Tensor
    static_mean: Tensor
    static_std: Tensor
    target_mean: Tensor
    target_std: Tensor
    flux_mean: Tensor
    flux_std: Tensor


class Normaliser(nn.Module):
    """Brings drivers, statics and states to a common scale.

    States are divided by their standard deviation after a logarithm of magnitude, because biomass and soil carbon
    span orders of magnitude between ages.
    """

    def __init__(self, statistics: Statistics) -> None:
        super().__init__()
        self.register_buffer("driver_mean", statistics.driver_mean.clone())
        self.register_buffer("driver_std", statistics.driver_std.clone())
        self.register_buffer("static_mean", statistics.static_mean.clone())
        self.register_buffer("static_std", statistics.static_std.clone())
        self.register_buffer("target_mean", statistics.target_mean.clone())
        self.register_buffer("target_std", statistics.target_std.clone())
        self.driver_mean: Tensor
        self.driver_std: Tensor
        self.static_mean: Tensor
        self.static_std: Tensor
        self.target_mean: Tensor
        self.target_std: Tensor

    @property
    def scale(self) -> Tensor:
        """Scale of the seven free channels, (7,): their standard deviation."""
        return self.target_std[list(FREE_INDEX)]

    @property
    def centre(self) -> Tensor:
        """Mean of the free channels in scaled units, (7,), kept above the floor."""
        return (self.target_mean[list(FREE_INDEX)] / self.scale).clamp_min(10 * FLOOR)

    def drivers(self, x: Tensor) -> Tensor:
        """Normalise (…, D)."""
        return (x - self.driver_mean) / self.driver_std

    def static(self, x: Tensor) -> Tensor:
        """Normalise (…, S)."""
        return (x - self.static_mean) / self.static_std

    def state(self, x: Tensor) -> Tensor:
        """Compress (…, 10) physical states to order one, sign kept."""
        scaled = x / self.target_std
        return torch.sign(scaled) * torch.log1p(scaled.abs())

    def condition(self, state: Tensor, ages: Tensor) -> Tensor:
        """Condition vector of a decoding.

        Parameters
        ----------
        state
            (B, k, 10) physical state of the month before the window.
        ages
            (k,) or (B, k) stand age in years.

        Returns
        -------
        Tensor
            (B·k, 11), sample-major.
        """
        age = torch.log1p(ages.to(state.dtype)).expand(state.shape[:2])[..., None] / 3.0 - 1.0
        return torch.cat([self.state(state), age], dim=-1).flatten(0, 1)


CONDITION_WIDTH = len(TARGETS) + 1


def to_targets(free: Tensor, scale: Tensor) -> Tensor:
    """All ten physical targets from the scaled free channels.

    Parameters
    ----------
    free
        (…, 7), scaled.
    scale
        (7,).

    Returns
    -------
    Tensor
        (…, 10) in `dere.variables.TARGETS` order; the identities hold to rounding.
    """
    physical = free * scale
    named = derive({name: physical[..., i] for i, name in enumerate(FREE_TARGETS)})
    return torch.stack([named[name] for name in TARGETS], dim=-1)
