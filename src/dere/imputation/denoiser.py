"""The denoising network: residual blocks that mix along time, conditioned on side information.

Side information (drivers, statics, observed values, masks, prior) does not depend on the diffusion step nor on the
sample, so it is encoded once per site and broadcast over steps and samples. Every block mixes neighbouring months
(dilated convolution), the same calendar month of all years and the whole record (weighted pooling); the last two let
a trajectory keep one level and one seasonal shape over many years at linear cost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dere.ingest.months import MONTHS


@dataclass(frozen=True)
class Side:
    """Encoded side information of a batch of sites.

    Parameters
    ----------
    gates
        Per block, shape (B, L, 2 C), added before the gate.
    weights
        Per block, pooling weights (B, L, heads), zero at months that carry nothing.
    target
        Values to generate, shape (B, L, fluxes), 1 or 0.
    """

    gates: tuple[Tensor, ...]
    weights: tuple[Tensor, ...]
    target: Tensor


def step_embedding(step: Tensor, width: int) -> Tensor:
    """Sinusoids of the diffusion step, shape (..., width)."""
    rates = torch.exp(-math.log(1000.0) * torch.arange(width // 2, device=step.device) / (width // 2))
    angle = step[..., None].float() * rates
    return torch.cat([angle.sin(), angle.cos()], -1)


def shift(x: Tensor, months: int) -> Tensor:
    """Move a series (..., L, C) by ``months`` along time, zeros entering."""
    if abs(months) >= x.shape[-2]:
        return torch.zeros_like(x)
    return (
        F.pad(x, (0, 0, months, 0))[..., : x.shape[-2], :]
        if months > 0
        else F.pad(x, (0, 0, 0, -months))[..., -months:, :]
    )


class SideEncoder(nn.Module):
    """Encodes what is known about a site: per-block gates and pooling weights."""

    def __init__(self, inputs: int, statics: int, channels: int, layers: int, heads: int, dropout: float):
        super().__init__()
        self.monthly = nn.Linear(inputs, channels)
        self.static = nn.Linear(statics, channels)
        self.neighbours = nn.Linear(3 * channels, channels)
        self.drop = nn.Dropout(dropout)
        self.gates = nn.ModuleList(nn.Linear(channels, 2 * channels) for _ in range(layers))
        self.weights = nn.ModuleList(nn.Linear(channels, heads) for _ in range(layers))

    def forward(self, monthly: Tensor, static: Tensor, carries: Tensor, target: Tensor) -> Side:
        """Encode.

        Parameters
        ----------
        monthly
            Shape (B, L, inputs): drivers, observed values, masks, prior channels.
        static
            Shape (B, S).
        carries
            1 where a month is observed or generated, shape (B, L).
        target
            1 where a value is generated, shape (B, L, fluxes).
        """
        h = F.silu(self.monthly(monthly) + self.static(self.drop(static))[:, None])
        h = self.drop(h + F.silu(self.neighbours(torch.cat([shift(h, 1), h, shift(h, -1)], -1))))
        weights = tuple(F.softplus(layer(h)) * carries[..., None] for layer in self.weights)
        return Side(tuple(layer(h) for layer in self.gates), weights, target)


class Block(nn.Module):
    """One gated residual block."""

    def __init__(self, channels: int, heads: int, dilation: int):
        super().__init__()
        self.dilation, self.heads = dilation, heads
        self.step = nn.Linear(channels, channels)
        self.near = nn.Linear(3 * channels, 2 * channels)
        self.season = nn.Linear(channels, 2 * channels, bias=False)
        self.record = nn.Linear(channels, 2 * channels, bias=False)
        self.out = nn.Linear(channels, 2 * channels)

    def pool(self, h: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Weighted means of (B, k, L, C) over the years of each calendar month and over the record."""
        b, k, length, c = h.shape
        split = (h.view(b, k, length, self.heads, -1) * weights[:, None, :, :, None]).view(
            b, k, length // MONTHS, MONTHS, c
        )
        mass = weights.view(b, 1, length // MONTHS, MONTHS, self.heads).sum(2)
        top = split.sum(2)
        wide = (1e-3 + mass).repeat_interleave(c // self.heads, -1)
        whole = (1e-3 + mass.sum(2, keepdim=True)).repeat_interleave(c // self.heads, -1)
        return top / wide, top.sum(2, keepdim=True) / whole

    def forward(self, h: Tensor, step: Tensor, gate: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Residual and skip output, shapes (B, k, L, C)."""
        b, k, length, c = h.shape
        x = h + self.step(step)
        season, record = self.pool(x, weights)
        z = self.near(torch.cat([shift(x, self.dilation), x, shift(x, -self.dilation)], -1)) + gate[:, None]
        broad = self.season(season) + self.record(record)
        z = (z.view(b, k, length // MONTHS, MONTHS, 2 * c) + broad[:, :, None]).view(b, k, length, 2 * c)
        value, door = z.chunk(2, -1)
        residual, skip = self.out(torch.tanh(value) * torch.sigmoid(door)).chunk(2, -1)
        return (h + residual) / math.sqrt(2.0), skip


class Denoiser(nn.Module):
    """Predicts the velocity of a noisy (NEE, RECO) series given encoded side information."""

    def __init__(
        self,
        inputs: int,
        statics: int,
        channels: int = 32,
        layers: int = 3,
        heads: int = 4,
        dropout: float = 0.1,
        fluxes: int = 2,
    ):
        if channels % heads:
            raise ValueError(f"imputation.heads = {heads} does not divide imputation.channels = {channels}; change one")
        super().__init__()
        self.channels = channels
        self.encoder = SideEncoder(inputs, statics, channels, layers, heads, dropout)
        self.inlet = nn.Linear(fluxes, channels)
        self.embed = nn.Sequential(nn.Linear(channels, channels), nn.SiLU(), nn.Linear(channels, channels))
        self.blocks = nn.ModuleList(Block(channels, heads, 2**i) for i in range(layers))
        self.head = nn.Linear(channels, channels)
        self.outlet = nn.Linear(channels, fluxes)
        nn.init.zeros_(self.outlet.weight)
        nn.init.zeros_(self.outlet.bias)

    def encode(self, monthly: Tensor, static: Tensor, carries: Tensor, target: Tensor) -> Side:
        """Encode the side information; call once per batch of sites."""
        return self.encoder(monthly, static, carries, target)

    def forward(self, side: Side, noisy: Tensor, step: Tensor) -> Tensor:
        """Velocity.

        Parameters
        ----------
        side
            From `encode`.
        noisy
            Shape (B, k, L, 2) with k samples per site; L a multiple of 12.
        step
            Diffusion step per site and sample, shape (B, k) or (1, 1).
        """
        # what is known comes with the side information; its noise would be another in training than in sampling
        h = F.silu(self.inlet(noisy * side.target[:, None]))
        embedded = self.embed(step_embedding(step, self.channels))[:, :, None]
        total: Tensor | float = 0.0
        for block, gate, weights in zip(self.blocks, side.gates, side.weights, strict=True):
            h, skip = block(h, embedded, gate, weights)
            total = total + skip
        return self.outlet(F.silu(self.head(total / math.sqrt(len(self.blocks)))))
