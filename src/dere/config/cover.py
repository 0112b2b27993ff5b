"""Configuration of the plant-type maps and the stand ages."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dere.config.base import Section
from dere.config.plant_classes import CROPS, PlantClasses


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
