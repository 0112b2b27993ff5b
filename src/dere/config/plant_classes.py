"""Configuration of the plant types: which layers of the plant-type maps make which.

Apart from the other options of the maps, because reading 300 m maps needs the layers and nothing else of them.
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, field_validator, model_validator

from dere.config.base import Section

CROPS = "GRASS-MAN"
VEGETATION_LAYERS = (
    "TREES-BD",
    "TREES-BE",
    "TREES-ND",
    "TREES-NE",
    "SHRUBS-BD",
    "SHRUBS-BE",
    "SHRUBS-ND",
    "SHRUBS-NE",
    "GRASS-NAT",
    CROPS,
)
"""ESA CCI layers that may belong to a plant type, in the order of the product."""
OTHER_LAYERS = ("BARE", "BUILT", "WATER", "SNOWICE")
"""ESA CCI layers that are no vegetation."""


class PlantClasses(Section):
    """ESA CCI layers of each plant type; each layer counts once, what stands nowhere is no vegetation."""

    BL: tuple[str, ...] = Field(("TREES-BD", "TREES-BE"), min_length=1)
    """Broadleaved trees."""
    NL: tuple[str, ...] = Field(("TREES-ND", "TREES-NE"), min_length=1)
    """Needleleaved trees."""
    GS: tuple[str, ...] = Field(("SHRUBS-BD", "SHRUBS-BE", "SHRUBS-ND", "SHRUBS-NE", "GRASS-NAT"), min_length=1)
    """Shrubs and grass; GRASS-MAN (crops) joins by include_crops."""

    @field_validator("BL", "NL", "GS")
    @classmethod
    def _known(cls, layers: tuple[str, ...]) -> tuple[str, ...]:
        for layer in layers:
            if layer in OTHER_LAYERS:
                raise ValueError(f"{layer} is no vegetation and can belong to no plant type; remove it")
            if layer not in VEGETATION_LAYERS:
                raise ValueError(f"{layer} is not a layer of the map; choose from {', '.join(VEGETATION_LAYERS)}")
        return layers

    @model_validator(mode="after")
    def _once(self) -> Self:
        layers = (*self.BL, *self.NL, *self.GS)
        for layer in layers:
            if layers.count(layer) > 1:
                raise ValueError(f"{layer} is listed {layers.count(layer)} times, but may count once; remove it once")
        return self
