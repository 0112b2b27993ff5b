"""Configuration of how the sources become the canonical set."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dere.config.windows import WindowConfig


class HarmoniseConfig(WindowConfig):
    """How the sources become the canonical set."""

    driver_set: Literal["monthly8", "carbonglobe136"] = "monthly8"
    """Drivers of a run, the same for cells and towers."""
    co2: Literal["auto", "global", "tower"] = "auto"
    """CO2 of towers: the global record (own columns carry local respiration); auto = own column in the world only."""
    tower_weather: Literal["own", "cell"] = "own"
    """Weather of towers under carbonglobe136: their own where they have it, or that of the covering cell throughout."""
    maximum_closure_residual: float = Field(0.5, gt=0)
    """Months whose published RECO differs more from NEE + GPP are rejected (gC m-2 d-1)."""
    repeated_run: int = Field(3, ge=2)
    """Runs of so many equal flux values are rejected as stuck."""
    odd_months: Literal["leave_out", "keep"] = "leave_out"
    """Months that do not fit the tower's own record (tables/odd_months.csv): no labels but scored in rows of their own,
    or labels like others."""
    minimum_labelled_months: int = Field(6, ge=1)
    """A flux with fewer good months at a tower has no labels there; towers without a label are for prediction only."""
    maximum_driver_gap: float = Field(0.3, ge=0, le=1)
    """A site with a larger share of months filled by its own climatology in a core driver is dropped."""
    dominance: float = Field(0.9, gt=0.5, le=1)
    """Simulations without pure stands: cells with a plant type above this share serve as pure samples of it."""
    regrid: Literal["conservative", "refuse"] = "conservative"
    """Plant-type maps on another regular grid than the simulation's: area-weighted means for its cells, or an error."""
