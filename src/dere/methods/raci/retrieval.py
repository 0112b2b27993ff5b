"""Neighbours of one role from one source: the nearest few, weighed by distance over a learned temperature."""

from __future__ import annotations

import torch
from torch import Tensor, nn

HIDDEN = 16
NEARLY_CLOSED = -2.0
"""Bias of a gate at the start."""


def nearest(distance: Tensor, allowed: Tensor, count: int, temperature: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The nearest allowed entries.

    Parameters
    ----------
    distance, allowed
        (B, N).
    count
        How many; fewer where the bank has fewer.
    temperature
        Scalar, in units of the distance.

    Returns
    -------
    rows, weights, mean
        (B, K) rows and weights that sum to one, all zero where nothing is allowed, and the weighted distance (B,).
    """
    far = torch.where(allowed, distance, torch.inf)
    found, rows = far.topk(min(count, distance.shape[-1]), dim=-1, largest=False)
    usable = torch.isfinite(found)
    # a stand-in keeps infinities out of the gradient
    found = torch.where(usable, found, 0.0)
    least = torch.where(usable[:, :1], found[:, :1], 0.0)
    raw = torch.where(usable, torch.exp(-(found - least) / temperature), 0.0)
    weights = raw / raw.sum(-1, keepdim=True).clamp_min(1e-12)
    return rows, weights, (weights * found).sum(-1)


class Recall(nn.Module):
    """What the neighbours of one role say.

    A neighbour is told by its slow code beside what it measured: the difference to what the network would say of it is
    what its own place adds.

    Parameters
    ----------
    values
        Numbers of an entry.
    code
        Width of the slow code.
    width
        Numbers that are said.
    neighbours
        How many are asked.
    """

    def __init__(self, values: int, code: int, width: int, neighbours: int) -> None:
        super().__init__()
        self.neighbours = neighbours
        self.log_temperature = nn.Parameter(torch.zeros(()))
        self.value = nn.Linear(values + code, width)
        last = nn.Linear(HIDDEN, 1)
        nn.init.zeros_(last.weight)
        nn.init.constant_(last.bias, NEARLY_CLOSED)
        self.gate = nn.Sequential(nn.Linear(code + 1, HIDDEN), nn.GELU(), last)

    def neighbours_of(self, distance: Tensor, allowed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """See `nearest`."""
        return nearest(distance, allowed, self.neighbours, self.log_temperature.exp())

    def forward(self, z: Tensor, distance: Tensor, allowed: Tensor, known: Tensor) -> Tensor:
        """Ask the neighbours.

        Parameters
        ----------
        z
            (B, code) of the places that ask.
        distance, allowed
            (B, N).
        known
            (N, values + code) of the entries.

        Returns
        -------
        Tensor
            (B, width); zero where nothing is allowed.
        """
        rows, weights, mean = self.neighbours_of(distance, allowed)
        said = self.value((weights[..., None] * known[rows]).sum(1))
        relative = torch.log1p(mean / self.log_temperature.exp())[:, None]
        gate = torch.sigmoid(self.gate(torch.cat([z, relative], dim=-1)))
        return gate * said * (weights.sum(-1, keepdim=True) > 0)

    @torch.no_grad()
    def start_temperature(self, distance: Tensor, allowed: Tensor) -> None:
        """Set the temperature to the median distance of neighbours; unchanged where there are none."""
        rows, weights, _ = self.neighbours_of(distance, allowed)
        found = distance.gather(1, rows)[weights > 0]
        found = found[torch.isfinite(found) & (found > 0)]
        if len(found):
            self.log_temperature.copy_(found.median().log())
