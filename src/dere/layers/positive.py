"""Softplus and its inverse: how outputs stay positive and how corrections act before activation."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

FLOOR = 1e-4


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


def correct(scaled: Tensor, correction: Tensor) -> Tensor:
    """Apply a correction in pre-activation: sp(sp⁻¹(S + ε) + c) - ε (architecture 4).

    With ``correction`` zero it returns ``scaled``; the result stays above -ε, and is floored at zero so that a
    stand without leaves keeps exactly no flux.

    Parameters
    ----------
    scaled
        Non-negative, in units of the channel's standard deviation.
    correction
        Same shape, pre-activation.
    """
    return (positive(inverse_positive(scaled + FLOOR) + correction) - FLOOR).clamp_min(0.0)
