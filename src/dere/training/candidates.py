"""Settings of a tower stage that each fold chooses by its own validation towers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from torch import nn

from dere.config.tower_training import Candidate, TowerTrainingConfig

Towers = TypeVar("Towers", bound=TowerTrainingConfig)
CHOSEN = set(Candidate.model_fields)


def options(config: Towers) -> list[Towers]:
    """One complete setting per candidate; the stage's own where there is none."""
    own = config.model_copy(update={"candidates": ()})
    return [own.model_copy(update=candidate.model_dump(exclude_none=True)) for candidate in config.candidates] or [own]


@contextmanager
def dropout(model: nn.Module, share: float | None) -> Iterator[None]:
    """Set all dropout of the sequence networks inside ``model`` for a while; None leaves it as it is."""
    layers = [
        module
        for name, module in model.named_modules()
        if isinstance(module, nn.Dropout) and "backbone" in name.split(".")
    ]
    kept = [layer.p for layer in layers]
    if share is not None:
        for layer in layers:
            layer.p = share
    try:
        yield
    finally:
        for layer, own in zip(layers, kept, strict=True):
            layer.p = own
