"""Configuration of the figures."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dere.config.base import Section


class FiguresConfig(Section):
    """Presentation only; nothing here changes a number."""

    dpi: int = Field(130, ge=50, le=600)
    """Resolution of the png files and of rasterised parts of the svg files."""
    formats: tuple[Literal["png", "svg", "pdf"], ...] = Field(("png", "svg"), min_length=1)
    """File formats of every figure."""
    method: str | None = None
    """Method in the foreground of series, seasonal cycles and closure; null = the last of the run's, by rank."""
    reference: str | None = None
    """Method that the paired intervals compare with; null = the first of the run's that serves as a reference."""
    compared: tuple[str, ...] | None = None
    """Methods drawn in the seasonal cycles; null = the process model, the trees and DERE, as the methods declare."""
    series_towers: int = Field(6, ge=2, le=12)
    """Panels of the series figure, half held-out towers, half towers with imputed labels."""
    series_flux: Literal["gpp", "reco", "nee"] = "nee"
    """Flux of the series figure."""
    skip: tuple[str, ...] = ()
    """Names of figures not to draw."""
