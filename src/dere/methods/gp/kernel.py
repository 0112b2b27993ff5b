"""The covariance of tower months, and of the errors that labels of one tower share.

Between any two months: a squared-exponential and a rational-quadratic kernel (shape 2) on all features with one length
scale per group, and a squared-exponential one on the static groups. Between labelled months of one tower also: its own
level and its own seasonal cycle (random effects), which no other tower shares and no prediction uses; and the noise,
larger where the weight is smaller. Numbers are logarithms; targets are standardised.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dere.methods.gp.features import GROUPS, STATIC

VARIANCES = ("exponential", "quadratic", "static", "site", "season", "noise")
_LENGTHS = {"cover": 1.0, "climate": 1.0, "satellite_level": 0.7, "light_use": 0.3, "satellite_months": 0.7,
            "water": 1.0, "co2_wind": 1.5, "rest": 0.7}  # fmt: skip
_STATIC_LENGTH = 0.5
_VARIANCES = (-0.5, -1.5, -1.5, -2.0, -2.0, -2.5)
_SHAPE = 2.0
JITTER = 1e-4
"""Added to the diagonal, in units of the targets' variance; far below the noise."""


@dataclass(frozen=True)
class Hyper:
    """Logarithms of the length scales (group,), those of the static kernel (static group,), and the variances."""

    length: Tensor
    static_length: Tensor
    variance: Tensor

    @classmethod
    def prior(cls) -> Hyper:
        """Values that the search starts from and is drawn to."""
        return cls(
            torch.tensor([_LENGTHS[group] for group in GROUPS]),
            torch.full((len(STATIC),), _STATIC_LENGTH),
            torch.tensor(_VARIANCES),
        )

    def parameters(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return the three tensors."""
        return self.length, self.static_length, self.variance

    def to(self, dtype: torch.dtype) -> Hyper:
        """Return the same numbers of another precision."""
        return Hyper(*(each.detach().to(dtype) for each in self.parameters()))


@dataclass(frozen=True)
class Rows:
    """Labelled tower months: what the covariance of their labels depends on.

    Parameters
    ----------
    features
        (row, feature) standardised.
    site
        (row,) integer code of the tower.
    season
        (row, 2) cosine and sine of the season.
    weight
        (row,) mean 1.
    """

    features: Tensor
    site: Tensor
    season: Tensor
    weight: Tensor

    def take(self, rows: NDArray[np.int64] | Tensor) -> Rows:
        """Return some rows."""
        chosen = torch.as_tensor(rows)
        return Rows(self.features[chosen], self.site[chosen], self.season[chosen], self.weight[chosen])

    def to(self, dtype: torch.dtype) -> Rows:
        """Return the same rows of another precision."""
        return Rows(self.features.to(dtype), self.site, self.season.to(dtype), self.weight.to(dtype))


def covariance(one: Tensor, other: Tensor, hyper: Hyper, group: Tensor) -> Tensor:
    """Covariance of the flux between months of any places, (a, feature) and (b, feature) to (a, b).

    ``group`` (feature,) is the position of each feature's group in `GROUPS`.
    """
    variance = torch.exp(hyper.variance)
    square = _squares(one, other, hyper.length, group, len(GROUPS))
    static = group < len(STATIC)
    level = _squares(one[:, static], other[:, static], hyper.static_length, group[static], len(STATIC))
    exponential = variance[0] * torch.exp(-0.5 * square)
    quadratic = variance[1] * (1 + square / (2 * _SHAPE)) ** -_SHAPE
    return exponential + quadratic + variance[2] * torch.exp(-0.5 * level)


def of_labels(rows: Rows, hyper: Hyper, group: Tensor) -> Tensor:
    """Covariance of the labels of ``rows``, (row, row): the flux, what a tower's labels share, and the noise."""
    variance = torch.exp(hyper.variance)
    same = (rows.site[:, None] == rows.site[None]).to(rows.features.dtype)
    shared = same * (variance[3] + variance[4] * (rows.season @ rows.season.T))
    noise = torch.diag(variance[5] / rows.weight + JITTER)
    return covariance(rows.features, rows.features, hyper, group) + shared + noise


def _squares(one: Tensor, other: Tensor, length: Tensor, group: Tensor, groups: int) -> Tensor:
    """Squared distances: of each group the mean over its features, over its squared length scale, summed."""
    number = torch.bincount(group, minlength=groups).clamp(min=1).to(one.dtype)
    scale = (torch.exp(-length) / torch.sqrt(number))[group]
    a, b = one * scale, other * scale
    return ((a * a).sum(1)[:, None] + (b * b).sum(1)[None] - 2 * a @ b.T).clamp(min=0)
