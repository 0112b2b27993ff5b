"""Configuration of the product files."""

from __future__ import annotations

from pydantic import Field

from dere.config.base import Section


class ProductsConfig(Section):
    """Public NetCDF files and the tower table."""

    method: str | None = None
    """Method whose predictions become the product; null = the last of the run's, by rank."""
    name: str = Field("dere", pattern=r"^[A-Za-z0-9-]+$", max_length=100)
    """Product label inside the file names: <flux>_mon_<name>_gn_<YYYYMM>-<YYYYMM>.nc."""
    title: str = "Monthly carbon fluxes of the land surface"
    """Global attribute title; must hold for the method that is given away."""
    institution: str = "not stated"
    """Global attribute institution: who made this run."""
    license: str = "CC-BY-4.0"
    """Global attribute license of the files."""
    references: str | None = None
    """Global attribute references: the method's paper; null = as the method declares it."""
    training_data_doi: str = "none (built-in synthetic world)"
    """DOIs of the tower and simulation data that trained the method."""
    compression: int = Field(1, ge=0, le=9)
    """zlib level of the fields."""
