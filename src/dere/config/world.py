"""Configuration of the built-in world."""

from __future__ import annotations

from pydantic import Field

from dere.config.base import Section

AGES = (1, 5, 10, 20, 30, 40, 50, 70, 100, 130, 160, 200, 250, 300, 350, 400, 450, 500)


class WorldConfig(Section):
    """The small planet that writes raw files in the real formats."""

    seed: int = Field(0, ge=0)
    """Seed of climate, nature and towers; equal seeds give equal files."""
    grid_degrees: float = Field(6.0, gt=0, le=30)
    """Cell size in degrees; 6 gives about 380 land cells."""
    start_year: int = Field(2001, ge=1700, le=2100)
    """First year of drivers and monthly targets."""
    years: int = Field(10, ge=2)
    """Years of monthly drivers and targets (10 = 120 months)."""
    ages: tuple[int, ...] = AGES
    """Stand ages in years at the start of the simulation."""
    towers: int = Field(60, ge=6)
    """Towers with flux labels, some in regional clusters."""
    virtual_towers: int = Field(500, ge=0)
    """Towers without flux columns, used for scoring only."""
    wetlands: int = Field(40, ge=0)
    """How many of the virtual towers stand on wetlands and measure methane, which nothing but exchange ch4 reads."""
    nature_distance: float = Field(1.0, ge=0)
    """How far nature differs from the process model: 0 = twin, 1 = the default gates."""
