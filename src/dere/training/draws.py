"""Which windows and stand ages a step of a training sees."""

from __future__ import annotations

import torch
from torch import Tensor


def sample(index: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Draw ``size`` windows with replacement."""
    return index[torch.randint(len(index), (size,), generator=generator)]


def sample_ages(total: int, size: int, generator: torch.Generator) -> Tensor:
    """Draw distinct ages, (k,) indices."""
    return torch.randperm(total, generator=generator)[: min(size, total)]


def spread_ages(total: int, size: int) -> Tensor:
    """Evenly spread ages for validation, (k,) indices."""
    return torch.linspace(0, total - 1, min(size, total)).round().long()


def batches(index: Tensor, size: int, limit: int | None = None) -> list[Tensor]:
    """Split indices into ragged batches; with ``limit``, evenly thinned to at most so many windows."""
    if limit is not None and len(index) > limit:
        index = index[torch.linspace(0, len(index) - 1, limit).round().long()]
    return list(index.split(size))
