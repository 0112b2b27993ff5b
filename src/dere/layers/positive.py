"""Softplus and its inverse: how outputs stay positive and how corrections act before activation."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

FLOOR = 1e-4
EASE = 0.05
"""For corrections that must be able to raise a flux from zero: the slope there is 0.05, with `FLOOR` 1e-4."""


def positive(x: Tensor) -> Tensor:
    """Softplus: R to (0, inf)."""
    return F.softplus(x)


def inverse_positive(y: Tensor) -> Tensor:
    """Inverse of `positive`; exact for large values, where exp would overflow.

    Parameters
    ----------
    y
        Strictly positive.
    """
    return y + torch.log(-torch.expm1(-y))


def correct(scaled: Tensor, correction: Tensor, floor: float = FLOOR) -> Tensor:
    """Apply a correction in pre-activation: sp(sp⁻¹(S + ε) + c) - ε (docs/method.md#stages).

    With ``correction`` zero it returns ``scaled``; the result stays above -ε, and is floored at zero so that a
    stand without leaves keeps exactly no flux.

    Parameters
    ----------
    scaled
        Non-negative, in units of the channel's standard deviation.
    correction
        Same shape, pre-activation.
    floor
        ε; the slope of the result at zero is about ε.
    """
    return (positive(inverse_positive(scaled + floor) + correction) - floor).clamp_min(0.0)
