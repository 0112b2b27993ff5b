"""Sequence networks behind one encode/decode interface, and their registry."""

from __future__ import annotations

from collections.abc import Callable

from dere.backbones.base import Backbone, Sizes
from dere.backbones.transformer import Transformer
from dere.config.training import BackboneConfig

BACKBONES: dict[str, Callable[[Sizes, BackboneConfig, int], Backbone]] = {"transformer": Transformer}


def make_backbone(name: str, sizes: Sizes, config: BackboneConfig, branches: int = 1) -> Backbone:
    """Build a registered backbone.

    Raises
    ------
    ValueError
        When the name is unknown; lists the known ones.
    """
    if name not in BACKBONES:
        raise ValueError(f"backbone '{name}' is unknown; choose one of {sorted(BACKBONES)}")
    return BACKBONES[name](sizes, config, branches)
