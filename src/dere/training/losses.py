"""Losses as sums of weighted errors and sums of weights, in units of each channel's standard deviation."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from dere.training.loop import LossParts


def squared(prediction: Tensor, truth: Tensor, weight: Tensor) -> LossParts:
    """Weighted squared error.

    A missing value has weight zero and any finite filler; a NaN in the prediction is never hidden, because
    NaN times zero is NaN and the training loop stops on it (docs/deviations.md#masked-loss).

    Parameters
    ----------
    prediction, truth
        Same shape, scaled.
    weight
        Broadcastable to it; zero = missing.
    """
    weight = weight.expand_as(prediction)
    return LossParts((weight * (prediction - truth) ** 2).sum(), weight.sum())


def target_loss(prediction: Tensor, truth: Tensor, std: Tensor, weight: Tensor | None = None) -> LossParts:
    """Simulation loss over the outputs, each in units of its standard deviation.

    Parameters
    ----------
    prediction, truth
        (…, output) physical.
    std
        (output,).
    weight
        Broadcastable to them; None = all count alike.
    """
    own = torch.ones((), device=prediction.device) if weight is None else weight
    return squared(prediction / std, truth / std, own)


def pull(model: nn.Module, reference: Mapping[str, Tensor], strength: float) -> Tensor | float:
    """L2 pull of the weights named in ``reference`` to where the stage started.

    For the networks of earlier stages that is what the simulation taught; for parts that a tower stage adds (level,
    adapters) it is their start, which changes nothing.
    """
    if not strength:
        return 0.0
    total: Tensor | float = 0.0
    for name, parameter in model.named_parameters():
        if name in reference:
            total = total + ((parameter - reference[name]) ** 2).sum()
    return strength * total


def with_pull(parts: LossParts, penalty: Tensor | float) -> LossParts:
    """Add a penalty to the mean of ``parts``.

    The penalty must not depend on the batch: the processes that share one add numerators and denominators, so that
    it counts once, however many they are. What depends on the batch is joined by `together`.
    """
    return LossParts(parts.numerator + penalty * parts.denominator, parts.denominator)


def together(first: LossParts, second: LossParts, share: float) -> LossParts:
    """Loss that is the mean of ``first`` plus ``share`` times the mean of ``second``; both are scalar."""
    return LossParts(
        torch.stack([first.numerator, share * second.numerator]), torch.stack([first.denominator, second.denominator])
    )
