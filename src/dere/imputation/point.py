"""The point model under the diffusion: small networks, cross-fitted by groups of clusters.

A training tower is predicted by networks that never saw its group, so that training residuals look like the residuals
of unseen sites. Towers outside training (validation) use the networks trained on all training towers. Most of the
error at an unseen site is its level and amplitude (docs/method.md#stages); `dere.imputation.prior` describes that
error, this module only makes the best guess of the month.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from dere.channels import SOIL_PROPERTIES
from dere.config.imputation import PointModelConfig
from dere.imputation.series import Series
from dere.training.loop import LossParts
from dere.training.parallel import share

CONSTANT = frozenset(f"soil_{name}" for name in SOIL_PROPERTIES)
"""Driver channels without a course in time."""


def features(series: Series) -> NDArray[np.float32]:
    """Inputs of the point model (S, T, X): drivers, last month's, three-month mean, season, statics.

    Channels that are constant along time (soil properties) enter once through their value, never as lags. Which they
    are follows from their names: a shortwave hour that is dark at these sites may be bright at others.
    """
    drivers = series.drivers
    varying = np.array([name not in CONSTANT for name in series.channels])
    moving = drivers[..., varying]
    before = _lag(moving, 1)
    mean3 = (moving + before + _lag(moving, 2)) / 3
    angle = 2 * np.pi * series.phase / 12
    season = np.stack([np.cos(angle), np.sin(angle)], -1)
    statics = np.repeat(series.statics[:, None], drivers.shape[1], 1)
    return np.concatenate([drivers, before, mean3, season, statics], -1).astype(np.float32)


def _lag(values: NDArray, months: int) -> NDArray:
    return np.concatenate([np.repeat(values[:, :1], months, 1), values[:, :-months]], 1)


def assign_groups(clusters: NDArray, groups: int, seed: int) -> NDArray[np.int64]:
    """Spread whole clusters over ``groups``, largest first, so that groups have about equal numbers of towers.

    Raises
    ------
    ValueError
        When there are fewer than two clusters.
    """
    names, counts = np.unique(clusters, return_counts=True)
    if len(names) < 2:
        raise ValueError(
            "imputation: the training towers form 1 cluster, at least 2 are needed for cross-fitting; add towers"
        )
    groups = min(groups, len(names))
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-counts[order], kind="stable")]
    load = np.zeros(groups, np.int64)
    group = {}
    for index in order:
        least = int(load.argmin())
        group[names[index]] = least
        load[least] += counts[index]
    return np.array([group[name] for name in clusters], np.int64)


class PointModel(nn.Module):
    """A bank of equal networks: ``members`` for each group, then ``members`` that see every training tower.

    Parameters
    ----------
    inputs
        Width of `features`.
    groups, members, width, dropout, noise
        See `PointModelConfig`.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, inputs: int, groups: int, members: int, width: int, dropout: float, noise: float):
        super().__init__()
        self.groups, self.members, self.dropout, self.noise = groups, members, dropout, noise
        bank = (groups + 1) * members
        sizes = ((inputs, width), (width, width), (width, 2))
        self.weights = nn.ParameterList(torch.randn(bank, a, b) / a**0.5 for a, b in sizes)
        self.biases = nn.ParameterList(torch.zeros(bank, 1, b) for _, b in sizes)
        nn.init.zeros_(self.weights[-1])
        self.register_buffer("mean", torch.zeros(2))
        self.register_buffer("std", torch.ones(2))

    def forward(self, x: Tensor, bank: slice | None = None) -> Tensor:
        """Standardised (NEE, RECO) of every network, (bank, N, 2), from inputs (bank or 1, N, X)."""
        bank = bank or slice(None)
        if self.training and self.noise > 0:
            x = x + self.noise * torch.randn_like(x)
        for index, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.matmul(x, weight[bank]) + bias[bank]
            if index < len(self.weights) - 1:
                x = F.dropout(F.gelu(x), self.dropout, self.training)
        return x

    def predict(self, inputs: NDArray[np.float32], group: NDArray[np.int64]) -> NDArray[np.float64]:
        """Point prediction of (NEE, RECO) in gC m-2 d-1.

        Parameters
        ----------
        inputs
            `features` (S, T, X).
        group
            Group of each site, ``groups`` (one past the last) for sites outside training, (S,).
        """
        self.eval()
        out = np.empty((*inputs.shape[:2], 2))
        with torch.no_grad():
            for which in np.unique(group):
                chosen = group == which
                x = torch.from_numpy(inputs[chosen]).flatten(0, 1)[None].to(self.mean.device)
                bank = slice(int(which) * self.members, (int(which) + 1) * self.members)
                value = self(x, bank).mean(0) * self.std + self.mean
                out[chosen] = value.double().cpu().numpy().reshape(int(chosen.sum()), -1, 2)
        return out


@dataclass(frozen=True)
class Rows:
    """Rows for every network of the bank: inputs (bank, N, X), targets (bank, N, 2), weights (bank, N).

    ``present`` (bank, N, 2) is one where a month has the value, zero where not.
    """

    inputs: Tensor
    targets: Tensor
    present: Tensor
    weights: Tensor

    def share(self, part: int, parts: int) -> Rows:
        """Some rows of every network, for one of several processes."""
        return Rows(*(share(x.transpose(0, 1), part, parts).transpose(0, 1) for x in vars(self).values()))


def row_loss(model: nn.Module, rows: Rows) -> LossParts:
    """Weighted squared error in standardised units."""
    error = ((model(rows.inputs) - rows.targets) ** 2 * rows.present).sum(-1) * rows.weights
    return LossParts(error.sum(), (rows.weights * rows.present.mean(-1)).sum())


def make_rows(
    inputs: NDArray[np.float32],
    series: Series,
    group: NDArray[np.int64],
    model: PointModel,
    config: PointModelConfig,
    device: str,
) -> tuple[Callable[[torch.Generator], Rows], list[Rows]]:
    """Training draws and validation rows.

    Sites weigh with the root of their number of observed months. A group's networks are validated on that group, the
    networks of all training towers on the towers outside training, so every network is validated on unseen clusters.
    """
    site, time = np.nonzero(series.observed)
    x = torch.from_numpy(inputs[site, time]).to(device)
    known = series.known[site, time]
    present = torch.from_numpy(known).float().to(device)
    target = torch.from_numpy(np.where(known, series.flux[site, time], 0.0)).float().to(device)
    target = (target - model.mean) / model.std
    count = series.observed.sum(1)
    weight = torch.from_numpy(1 / np.sqrt(np.maximum(count, 1))[site]).float().to(device)
    owner = torch.from_numpy(group[site])
    training = owner < model.groups
    allowed = [torch.nonzero(training & (owner != which))[:, 0] for which in range(model.groups + 1)]
    held = [torch.nonzero(owner == which)[:, 0] for which in range(model.groups + 1)]
    if any(len(rows) == 0 for rows in allowed):
        raise ValueError(
            "imputation: a group of training towers has no observed month outside it; lower imputation.point.groups"
        )

    def rows_at(index: Tensor) -> Rows:
        return Rows(x[index], target[index], present[index], weight[index])

    def gather(rows: list[Tensor]) -> Rows:
        index = torch.stack([r for r in rows for _ in range(model.members)]).to(device)
        return rows_at(index)

    def draw(generator: torch.Generator) -> Rows:
        index = torch.stack(
            [
                rows[torch.randint(len(rows), (config.training.batch,), generator=generator)]
                for rows in allowed
                for _ in range(model.members)
            ]
        ).to(device)
        return rows_at(index)

    longest = max(len(rows) for rows in held)
    padded = [F.pad(rows, (0, longest - len(rows))) for rows in held]
    validation = gather(padded)
    filled = torch.stack([(torch.arange(longest) < len(r)).float() for r in held for _ in range(model.members)])
    return draw, [replace(validation, weights=validation.weights * filled.to(device))]
