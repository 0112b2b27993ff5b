"""Softplus and its inverse: how outputs stay positive and how corrections act before activation."""

from __future__ import annotations

from collections.abc import Sequence

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


def shifted(scaled: Tensor, correction: Tensor, signed: Sequence[bool], floor: float = FLOOR) -> Tensor:
    """Apply `correct` to the channels that are never negative; the others are shifted as they are.

    Parameters
    ----------
    scaled, correction
        (…, channel).
    signed
        (channel,) which channels may be negative.
    floor
        As for `correct`.
    """
    if not any(signed):
        return correct(scaled, correction, floor)
    mask = torch.tensor(list(signed), device=scaled.device)
    # a stand-in keeps what may be negative out of the logarithm: its NaN would reach the weights through the where
    positive_alone = correct(torch.where(mask, torch.ones_like(scaled), scaled), correction, floor)
    return torch.where(mask, scaled + correction, positive_alone)
