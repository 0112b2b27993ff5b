"""Normalisation of inputs and states; the statistics travel in the checkpoint as buffers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dere.exchange import Exchange
from dere.layers.positive import FLOOR


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
        (output,) of the exchange's outputs, in their units.
    flux_mean, flux_std
        (flux,) of training towers, in the fluxes' units.
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

    While training, normalised drivers and statics get Gaussian noise of the standard deviation ``noise``
    (`dere.training.noise`).
    """

    noise: float = 0.0

    def __init__(self, statistics: Statistics, exchange: Exchange) -> None:
        super().__init__()
        self.complete = exchange.complete
        self.free = exchange.of_outputs(exchange.free)
        self.signed = [name in exchange.signed for name in exchange.free]
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
        """Scale of the free channels, (free,): their standard deviation."""
        return self.target_std[self.free]

    @property
    def centre(self) -> Tensor:
        """Mean of the free channels in scaled units, (free,); of those that are never negative, above the floor."""
        mean = self.target_mean[self.free] / self.scale
        return torch.where(torch.tensor(self.signed, device=mean.device), mean, mean.clamp_min(10 * FLOOR))

    def drivers(self, x: Tensor) -> Tensor:
        """Normalise (…, D)."""
        return self._noisy((x - self.driver_mean) / self.driver_std)

    def static(self, x: Tensor) -> Tensor:
        """Normalise (…, S)."""
        return self._noisy((x - self.static_mean) / self.static_std)

    def _noisy(self, x: Tensor) -> Tensor:
        return x + self.noise * torch.randn_like(x) if self.training and self.noise else x

    def state(self, x: Tensor) -> Tensor:
        """Compress (…, state) physical states to order one, sign kept."""
        scaled = x / self.target_std[: x.shape[-1]]
        return torch.sign(scaled) * torch.log1p(scaled.abs())

    def start(self, state: Tensor) -> Tensor:
        """Scaled free channels (…, free) of a physical state (…, state); zeros where there is no simulation."""
        if not state.shape[-1]:
            return torch.zeros(*state.shape[:-1], len(self.free), device=state.device)
        return state[..., self.free] / self.scale

    def condition(self, state: Tensor, ages: Tensor) -> Tensor:
        """Condition vector of a decoding.

        Parameters
        ----------
        state
            (B, k, state) physical state of the month before the window.
        ages
            (k,) or (B, k) stand age in years.

        Returns
        -------
        Tensor
            (B·k, state + 1), sample-major.
        """
        age = torch.log1p(ages.to(state.dtype)).expand(state.shape[:2])[..., None] / 3.0 - 1.0
        return torch.cat([self.state(state), age], dim=-1).flatten(0, 1)

    def outputs(self, free: Tensor) -> Tensor:
        """All physical outputs (…, output) from the scaled free channels (…, free); identities hold to rounding."""
        completed: Tensor = self.complete(free * self.scale)
        return completed
