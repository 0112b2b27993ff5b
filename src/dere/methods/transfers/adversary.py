"""A discriminator of simulated and observed places behind a reversed gradient (arXiv 1409.7495)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from dere.layers.blueprint import Blueprint
from dere.methods.single_network import SingleNetwork
from dere.training.loop import LossParts

WIDTH = 16
"""Of the discriminator's hidden layer."""
SHRINKAGE = 0.1
"""Ridge of the fresh discriminator, as a share of the mean variance of the features."""


def ramp(progress: float) -> float:
    """Strength of the reversal, 0 at first and 1 at the end: 2 / (1 + exp(-10 p)) - 1 (Ganin and Lempitsky 2015)."""
    return 2.0 / (1.0 + math.exp(-10.0 * progress)) - 1.0


class _Reversal(torch.autograd.Function):
    """Identity whose gradient is turned round and scaled."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * gradients[0], None


def reversed_gradient(x: Tensor, strength: float) -> Tensor:
    """Return ``x``; its gradient comes back times ``-strength``."""
    found: Tensor = _Reversal.apply(x, strength)
    return found


class AlignedNetwork(nn.Module):
    """The single network and a discriminator of its hidden sequences, trained together.

    Parameters
    ----------
    blueprint
        As for every network.
    reversal
        Strength of the reversed gradient at the end.
    steps
        Steps of the whole training.
    """

    def __init__(self, blueprint: Blueprint, reversal: float, steps: int) -> None:
        super().__init__()
        self.reversal, self.steps = reversal, steps
        self.network = SingleNetwork(blueprint)
        width = self.network.backbone.width
        self.discriminator = nn.Sequential(nn.Linear(width, WIDTH), nn.GELU(), nn.Linear(WIDTH, 1))
        # among the weights, so that a training that goes on after an interruption has its place on the ramp
        self.register_buffer("taken", torch.zeros(()))
        self.taken: Tensor

    def domain_loss(self, simulated: Tensor, observed: Tensor) -> LossParts:
        """Cross-entropy of the discriminator, both kinds of place counting alike.

        Parameters
        ----------
        simulated, observed
            (N, W, width) and (M, W, width) hidden sequences; a step of the training is counted.
        """
        strength = self.reversal * ramp(float(self.taken) / self.steps)
        self.taken += 1
        losses = [
            F.binary_cross_entropy_with_logits(logit, torch.full_like(logit, kind), reduction="mean")
            for kind, logit in (
                (0.0, self.logits(reversed_gradient(simulated, strength))),
                (1.0, self.logits(reversed_gradient(observed, strength))),
            )
        ]
        count = float(len(simulated) + len(observed))
        total = 0.5 * count * (losses[0] + losses[1])
        return LossParts(total, torch.full_like(total, count))

    def logits(self, hidden: Tensor) -> Tensor:
        """Logit of being observed (N,) of hidden sequences (N, W, width): a place is judged by their mean over time."""
        judged: Tensor = self.discriminator(hidden.mean(1))[:, 0]
        return judged


def accuracy(simulated: NDArray[np.float64], observed: NDArray[np.float64]) -> float:
    """Mean over both kinds of the share that is told rightly by the sign of a score, observed positive.

    1 = told apart, 0.5 = not at all.
    """
    return float(((simulated < 0).mean() + (observed > 0).mean()) / 2)


def fresh_accuracy(
    learned: tuple[NDArray[np.float64], NDArray[np.float64]], judged: tuple[NDArray[np.float64], NDArray[np.float64]]
) -> float:
    """Accuracy of a linear discriminant (Fisher 1936) that never played against the network.

    A network that has won against its discriminator may still be told apart by another one.

    Parameters
    ----------
    learned, judged
        Simulated (N, feature) and observed (M, feature), to fit on and to judge by.
    """
    means = [part.mean(0) for part in learned]
    scatter = np.mean([np.cov(part, rowvar=False, bias=True) for part in learned], axis=0)
    ridge = SHRINKAGE * np.trace(scatter) / len(scatter) + 1e-12
    direction = np.linalg.solve(scatter + ridge * np.eye(len(scatter)), means[1] - means[0])
    middle = (means[0] + means[1]) / 2
    simulated, observed = ((part - middle) @ direction for part in judged)
    return accuracy(simulated, observed)
