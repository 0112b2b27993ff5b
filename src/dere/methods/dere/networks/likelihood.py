"""Bivariate Gaussian likelihood of (NEE, RECO): label covariance plus model-error covariance.

The optimum weight of a month is the inverse of that sum. Unlike the published weight network, nothing is gained by
pushing weights to a floor, because the log-determinant pays for it (docs/deviations.md#label-weights).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dere.training.optimiser import mark

RATE = 50.0
"""Three numbers that must find their level within the few hundred small steps that fine-tune a network."""


class ModelError(nn.Module):
    """Learned covariance of the model's own error in (NEE, RECO), gC m-2 d-1 squared.

    Its parameters have a multiple of the learning rate (`dere.training.optimiser`).

    Parameters
    ----------
    std
        (2,) starting standard deviations of NEE and RECO.
    """

    def __init__(self, std: Tensor) -> None:
        super().__init__()
        self.log_std = nn.Parameter(torch.log(std.clone()))
        self.raw_correlation = nn.Parameter(torch.zeros(()))
        for parameter in self.parameters():
            mark(parameter, RATE)

    def covariance(self) -> Tensor:
        """(2, 2)."""
        std = self.log_std.exp()
        cross = 0.95 * torch.tanh(self.raw_correlation) * std[0] * std[1]
        return torch.stack([torch.stack([std[0] ** 2, cross]), torch.stack([cross, std[1] ** 2])])


def negative_log_likelihood(residual: Tensor, covariance: Tensor) -> Tensor:
    """Half the Mahalanobis distance plus half the log-determinant, without the constant.

    Parameters
    ----------
    residual
        (…, 2).
    covariance
        (…, 2, 2), positive definite.

    Returns
    -------
    Tensor
        (…).
    """
    a, b, c = covariance[..., 0, 0], covariance[..., 0, 1], covariance[..., 1, 1]
    determinant = a * c - b**2
    x, y = residual.unbind(-1)
    distance = (c * x**2 - 2 * b * x * y + a * y**2) / determinant
    return 0.5 * (distance + torch.log(determinant))


def weight(covariance: Tensor) -> Tensor:
    """Effective weight of a month: trace of the inverse covariance, (…)."""
    a, b, c = covariance[..., 0, 0], covariance[..., 0, 1], covariance[..., 1, 1]
    return (a + c) / (a * c - b**2)
