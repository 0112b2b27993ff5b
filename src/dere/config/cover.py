"""Configuration of the plant-type maps and the stand ages."""

from __future__ import annotations

from typing import Annotated, Literal, Self

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


class AgeSource(Section):
    """Stand ages of map cells."""

    format: Literal["auto", "table", "gfad", "mpi_bgc"] = "auto"
    """table = lat, lon, weight_1 ...; gfad = GFAD v1.1; mpi_bgc = MPI-BGC 1 km map; auto = by the file's name."""
    path: str = ""
    """File or folder of the stand ages; empty = the folder of the plant-type maps."""
    tree_cover: Literal[0, 10, 20, 30] = 10
    """mpi_bgc only: pixels with at least this tree cover (percent) count."""


class CoverSource(Section):
    """Plant-type maps and stand ages."""

    provider: Literal["files", "igbp", "dere"] = "files"
    """files = ESA CCI maps and stand ages; igbp = stated table per IGBP class; dere = the simulation's arrays."""
    path: str = ""
    """Folder of the maps and age weights; empty = the built-in world's."""
    include_crops: bool = True
    """Count managed grass (crops) as grass and shrub, unless classes places it elsewhere."""
    classes: PlantClasses = PlantClasses()
    """ESA CCI layers of each plant type; each layer counts once, what stands nowhere is no vegetation."""
    renormalise: bool = True
    """Plant fractions sum to 1 over the vegetated part; false = shares of the land, as mapped."""
    aggregate_degrees: Annotated[float, Field(gt=0, le=30)] | None = None
    """Cell size to which 300 m maps are aggregated; null = the simulation's (meta.json), else 0.5."""
    area_weights: bool = True
    """Weight the rows of 300 m pixels by the cosine of latitude; false = the plain mean of a cell's pixels."""
    tower_window_km: Annotated[float, Field(ge=0, le=100)] | Literal["3x3"] = 1.0
    """300 m maps: side of the square around a tower that is averaged; 0 = its pixel, 3x3 = with its neighbours."""
    age: AgeSource = AgeSource()
    """Stand ages of map cells."""

    @model_validator(mode="after")
    def _crops(self) -> Self:
        placed = (*self.classes.BL, *self.classes.NL, *self.classes.GS)
        if not self.include_crops and CROPS in placed:
            raise ValueError(f"include_crops is false, but classes lists {CROPS}; remove it or include crops")
        return self
