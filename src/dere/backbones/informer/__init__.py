"""Informer (Zhou and others 2021, arXiv 2012.07436, eq. 2-4): prob-sparse self-attention."""

from __future__ import annotations

from pydantic import Field

from dere.backbones.declaration import BackboneRoom
from dere.config.network import MonthTokenConfig


class InformerConfig(MonthTokenConfig):
    """Informer: one token per month, prob-sparse self-attention."""

    factor: int = Field(5, ge=1)
    """Active queries: factor times the logarithm of the length; as many keys are sampled to find them."""


BACKBONE = BackboneRoom(
    label="Informer",
    section=InformerConfig,
    network="dere.backbones.informer.network:Informer",
    references=("Zhou and others 2021, arXiv 2012.07436",),
    vectorised=True,
    rank=20,
)
