"""SimpleTM (Chen and others 2025, ICLR): wavelets and geometric attention."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from dere.backbones.declaration import BackboneRoom
from dere.config.network import VariateConfig


class SimpleTMConfig(VariateConfig):
    """SimpleTM: stationary wavelets and geometric attention."""

    heads: int = Field(4, ge=1)
    """Attention heads of the queries of layout shared; must divide the width. The geometric attention has none."""
    levels: int = Field(3, ge=1)
    """Levels of the stationary wavelet transform."""
    alpha: float = Field(0.0, ge=0, le=1)
    """Share of the wedge product in the attention scores; 0 = dot product only, as published for DERE."""
    attention_dropout: float = Field(0.5, ge=0, lt=1)
    """Dropout of the projections inside the attention."""

    def check(self, key: str) -> None:
        """See `BackboneConfig.check`; the published layout has one head whatever stands there."""
        if self.layout == "shared":
            super().check(key)

    @model_validator(mode="after")
    def _levels_fit_the_width(self) -> Self:
        if 2 ** (self.levels - 1) > self.width:
            raise ValueError(
                f"levels is {self.levels}, whose widest filter reaches over {2 ** (self.levels - 1)} features, but "
                f"width is {self.width}; choose at most {self.width.bit_length()} levels"
            )
        return self


BACKBONE = BackboneRoom(
    label="SimpleTM",
    section=SimpleTMConfig,
    network="dere.backbones.simpletm.network:SimpleTM",
    references=("Chen and others 2025, A simple baseline for multivariate time series forecasting, ICLR",),
    vectorised=True,
    rank=60,
)
