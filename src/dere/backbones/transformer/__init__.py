"""Transformer (Vaswani and others 2017, arXiv 1706.03762, sections 3.1-3.3 and 3.5)."""

from __future__ import annotations

from dere.backbones.declaration import BackboneRoom
from dere.config.network import MonthTokenConfig


class TransformerConfig(MonthTokenConfig):
    """Transformer: one token per month, full attention."""


BACKBONE = BackboneRoom(
    label="Transformer",
    section=TransformerConfig,
    network="dere.backbones.transformer.network:Transformer",
    references=("Vaswani and others 2017, arXiv 1706.03762",),
    vectorised=True,
    rank=10,
)
