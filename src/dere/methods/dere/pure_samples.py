"""Draws of pure samples from a simulation that has none everywhere: single ages of single members, per plant type.

A simulation with pure stands of its own has every stand at every place and age, and needs none of this. One that only
brings mixtures has pure samples where a plant type dominates; elsewhere the pure state is NaN.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from dere.training.windows import Windows
from dere.variables import PLANT_TYPES

VALIDATION_SAMPLES = 48
Pairs = tuple[Tensor, Tensor]
"""Windows (n,) and one age of each (n,)."""


def has_gaps(windows: Windows) -> bool:
    """Whether a pure stand is missing somewhere."""
    return bool(windows.simulation.initial[:, : len(PLANT_TYPES)].isnan().any())


def pure_pairs(windows: Windows, index: Tensor, branch: int) -> Pairs:
    """Windows among ``index`` and their ages in which the stand ``branch`` was simulated; none is allowed."""
    there = ~windows.simulation.initial[:, branch, :, 0].isnan()
    rows, ages = there[windows.place[index]].nonzero(as_tuple=True)
    return index[rows], ages


def drawer(windows: Windows, index: Tensor, size: int) -> Callable[[torch.Generator], list[Pairs]]:
    """Return the draw of a training step: ``size`` samples with replacement of each plant type.

    Raises
    ------
    ValueError
        When a plant type has no pure sample among the windows.
    """
    pairs = [pure_pairs(windows, index, branch) for branch in range(len(PLANT_TYPES))]
    for name, (rows, _) in zip(PLANT_TYPES, pairs, strict=True):
        if not len(rows):
            raise ValueError(
                f"no training cell of this fold has a pure sample of {name}, at least one is needed; lower "
                "harmonise.dominance or use more cells"
            )

    def draw(generator: torch.Generator) -> list[Pairs]:
        drawn = []
        for rows, ages in pairs:
            chosen = torch.randint(len(rows), (size,), generator=generator)
            drawn.append((rows[chosen], ages[chosen]))
        return drawn

    return draw


def fixed_batches(windows: Windows, index: Tensor, size: int) -> list[list[Pairs]]:
    """Validation batches: at most ``VALIDATION_SAMPLES`` samples of each plant type, evenly thinned.

    Raises
    ------
    ValueError
        When no plant type has a pure sample among the windows.
    """
    batches: list[list[Pairs]] = []
    parts: list[list[Pairs]] = []
    for branch in range(len(PLANT_TYPES)):
        rows, ages = pure_pairs(windows, index, branch)
        count = min(len(rows), VALIDATION_SAMPLES)
        kept = torch.linspace(0, max(len(rows) - 1, 0), count).round().long()
        parts.append(list(zip(rows[kept].split(size), ages[kept].split(size), strict=True)) if count else [])
    for number in range(max(map(len, parts))):
        none = (torch.empty(0, dtype=torch.long),) * 2
        batches.append([part[number] if number < len(part) else none for part in parts])
    if not batches:
        raise ValueError(
            "no validation cell of this fold has a pure sample, at least one is needed; lower harmonise.dominance or "
            "use more cells"
        )
    return batches
