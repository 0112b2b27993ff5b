"""Dropout of the sequence networks, changed for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


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
