"""Sequence networks behind one encode/decode interface, and their registry.

A network's module is imported when it is asked for, so that an edit of one network retrains only its own runs.
"""

from __future__ import annotations

from importlib import import_module

from dere.backbones.base import Backbone, Sizes
from dere.config.network import BackboneConfig

BACKBONES: dict[str, str] = {
    "transformer": "Transformer",
    "informer": "Informer",
    "fedformer": "FEDformer",
    "itransformer": "ITransformer",
    "timexer": "TimeXer",
    "simpletm": "SimpleTM",
}
"""Name, which is the name of its module too, to class."""


def make_backbone(name: str, sizes: Sizes, config: BackboneConfig, branches: int = 1) -> Backbone:
    """Build a registered backbone.

    Raises
    ------
    ValueError
        When the name is unknown; lists the known ones.
    """
    if name not in BACKBONES:
        raise ValueError(f"backbone '{name}' is unknown; choose one of {sorted(BACKBONES)}")
    return getattr(import_module(f"dere.backbones.{name}"), BACKBONES[name])(sizes, config, branches)


__all__ = ["BACKBONES", "Backbone", "Sizes", "make_backbone"]
