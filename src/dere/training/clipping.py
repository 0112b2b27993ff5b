"""Largest norm of a gradient, for one network or for several that train together."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

_TINY = 1e-6
"""As ``torch.nn.utils.clip_grad_norm_`` adds it, so that a zero gradient stays zero."""


def clip(parameters: Sequence[nn.Parameter], largest: float, members: int = 1) -> Tensor:
    """Shorten the gradient in place and return its norm before that.

    Parameters
    ----------
    parameters
        Those that are trained; with several members the first axis of each is the member.
    largest
        Norm that is allowed.
    members
        Networks that train together; the gradient of each is shortened by itself.

    Returns
    -------
    Tensor
        Scalar norm, with several members the largest; not finite where any is not.
    """
    if members == 1:
        return nn.utils.clip_grad_norm_(parameters, largest)
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = torch.stack([gradient.reshape(members, -1).norm(dim=1) for gradient in gradients]).norm(dim=0)
    scale = (largest / (norm + _TINY)).clamp_max(1.0)
    for gradient in gradients:
        gradient.mul_(scale.view(members, *[1] * (gradient.dim() - 1)))
    return norm.max()
