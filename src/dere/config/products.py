"""Configuration of the product files."""

from __future__ import annotations

from pydantic import Field

from dere.config.base import Section


class ProductsConfig(Section):
    """Public NetCDF files and the tower table."""

    method: str = "dere"
    """Method whose predictions become the product."""
    name: str = Field("dere", pattern=r"^[A-Za-z0-9-]+$")
    """Product label inside the file names: <flux>_mon_<name>_gn_<YYYYMM>-<YYYYMM>.nc."""
    title: str = "Monthly land carbon fluxes predicted from simulation, plant-type maps and flux towers"
    """Global attribute title."""
    institution: str = "not stated"
    """Global attribute institution: who made this run."""
    license: str = "CC-BY-4.0"
    """Global attribute license of the files."""
    references: str = "https://doi.org/10.1145/3770855.3818927"
    """Global attribute references: the method's paper."""
    training_data_doi: str = "none (built-in synthetic world)"
    """DOIs of the tower and simulation data that trained the networks."""
    compression: int = Field(1, ge=0, le=9)
    """zlib level of the fields."""
