"""How fast each weight moves, and which ones weight decay draws to zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

MARKS = ("rate", "decays")
"""Attributes by which a parameter says how it is to be trained; see `mark`."""


def mark(parameter: nn.Parameter, rate: float = 1.0, decays: bool = True) -> None:
    """Say how a parameter is to be trained.

    Parameters
    ----------
    rate
        Multiple of the learning rate.
    decays
        Whether weight decay acts on it. Where zero means something (a gate half open), it does not belong there.
    """
    for name, value in zip(MARKS, (rate, decays), strict=True):
        setattr(parameter, name, value)


def copy_marks(source: nn.Parameter, to: nn.Parameter) -> None:
    """Train a parameter as another one."""
    mark(to, getattr(source, "rate", 1.0), getattr(source, "decays", True))


def optimiser_of(
    parameters: Sequence[nn.Parameter], learning_rate: float, weight_decay: float
) -> torch.optim.Optimizer:
    """AdamW with one group of parameters per pair of marks, in the order in which the marks come.

    Parameters
    ----------
    parameters
        Those that are trained.
    learning_rate, weight_decay
        Of a parameter without marks.
    """
    groups: dict[tuple[float, bool], dict[str, Any]] = {}
    for parameter in parameters:
        rate, decays = getattr(parameter, "rate", 1.0), getattr(parameter, "decays", True)
        settings = {"lr": rate * learning_rate, "weight_decay": weight_decay if decays else 0.0}
        groups.setdefault((rate, decays), {"params": [], **settings})["params"].append(parameter)
    return torch.optim.AdamW(list(groups.values()), weight_decay=weight_decay)
