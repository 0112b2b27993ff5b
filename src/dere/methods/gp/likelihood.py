"""Hyperparameters by maximum likelihood (type II), each step on other rows; and the solution with all rows."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dere.methods.gp.kernel import Hyper, Rows, of_labels

LEARNING_RATE = 0.06
PULL = 0.02
"""Weight of the squared distance of the logarithms from where they start, per row of the likelihood."""


def negative_log_likelihood(rows: Rows, targets: Tensor, hyper: Hyper, group: Tensor) -> Tensor:
    """Per row and without its constant, summed over the targets (row, target), which share one covariance.

    Rasmussen and Williams 2006, equation 5.8.
    """
    factor = torch.linalg.cholesky(of_labels(rows, hyper, group))
    solved = torch.cholesky_solve(targets, factor)
    logarithm = torch.log(torch.diagonal(factor)).sum()
    return (0.5 * (targets * solved).sum() + targets.shape[1] * logarithm) / len(targets)


def most_likely(
    rows: Rows,
    targets: Tensor,
    chance: NDArray[np.float64],
    group: Tensor,
    steps: int,
    search_rows: int,
    rng: np.random.Generator,
) -> tuple[Hyper, list[float]]:
    """Search the hyperparameters with Adam.

    Parameters
    ----------
    rows, targets
        All labelled months, (row, target) standardised.
    chance
        (row,) chance of a row to be drawn for a step.
    group
        (feature,) group of each feature.
    steps, search_rows
        Number of steps, and rows that each sees at most.

    Returns
    -------
    Hyper, list
        The hyperparameters, and the loss of every step.
    """
    start = Hyper.prior()
    hyper = Hyper(*(each.clone().requires_grad_() for each in start.parameters()))
    optimiser = torch.optim.Adam(hyper.parameters(), lr=LEARNING_RATE)
    losses = []
    for _ in range(steps):
        drawn = drawn_rows(chance, search_rows, rng)
        loss = negative_log_likelihood(rows.take(drawn), targets[torch.as_tensor(drawn)], hyper, group)
        pulled = sum(
            ((now - then) ** 2).sum() for now, then in zip(hyper.parameters(), start.parameters(), strict=True)
        )
        optimiser.zero_grad()
        (loss + PULL * pulled).backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    return Hyper(*(each.detach() for each in hyper.parameters())), losses


def drawn_rows(chance: NDArray[np.float64], most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the positions of at most ``most`` rows, drawn without replacement by their chance, in order."""
    if len(chance) <= most:
        return np.arange(len(chance))
    return np.sort(rng.choice(len(chance), most, replace=False, p=chance / chance.sum()))


def solve(covariance: Tensor, targets: Tensor, left_out: NDArray[np.int64], groups: int) -> tuple[Tensor, Tensor]:
    """Weights of the rows in a prediction, with all of them and without each group.

    With A the inverse covariance and a = A y, the weights without the rows G are those of a - A[:, G] A[G, G]^-1 a[G]
    (the inverse of a block), so that nothing is fitted again.

    Parameters
    ----------
    covariance
        (row, row) of the labels.
    targets
        (row, target).
    left_out
        (row,) group of each row, 0 and up; -1 = in none.
    groups
        How many there are; one may have no row.

    Returns
    -------
    Tensor, Tensor
        (row, target), and (group, row, target), zero at the rows of the group.
    """
    factor = torch.linalg.cholesky(covariance)
    inverse = torch.cholesky_inverse(factor)
    weights = torch.cholesky_solve(targets, factor)
    without = weights.repeat(groups, 1, 1)
    for group in range(groups):
        rows = torch.as_tensor(np.flatnonzero(left_out == group))
        if len(rows):
            block = torch.linalg.solve(inverse[rows][:, rows], weights[rows])
            without[group] -= inverse[:, rows] @ block
            without[group, rows] = 0.0
    return weights, without
