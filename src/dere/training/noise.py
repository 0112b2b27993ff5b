"""Noise on the inputs of networks while they train, changed for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from dere.layers.inputs import Normaliser


@contextmanager
def input_noise(model: nn.Module, spread: float) -> Iterator[None]:
    """Give the normalised inputs inside ``model`` noise of a standard deviation for a while (Bishop 1995: a penalty).

    Frozen parts are in evaluation mode and get none.
    """
    normalisers = [module for module in model.modules() if isinstance(module, Normaliser)]
    for normaliser in normalisers:
        normaliser.noise = spread
    try:
        yield
    finally:
        for normaliser in normalisers:
            del normaliser.noise
