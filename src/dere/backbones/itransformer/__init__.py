"""iTransformer (Liu and others 2024, arXiv 2310.06625): self-attention between variates."""

from __future__ import annotations

from dere.backbones.declaration import BackboneRoom
from dere.config.network import VariateConfig


class ITransformerConfig(VariateConfig):
    """iTransformer: self-attention between variate tokens."""


BACKBONE = BackboneRoom(
    label="iTransformer",
    section=ITransformerConfig,
    network="dere.backbones.itransformer.network:ITransformer",
    references=("Liu and others 2024, arXiv 2310.06625",),
    vectorised=True,
    rank=40,
)
