"""Settings of the Gaussian process."""

from __future__ import annotations

from pydantic import Field

from dere.config.base import Section


class GpConfig(Section):
    """Gaussian process on the features of the trees."""

    rows: int = Field(4000, ge=20, le=20000)
    """Most tower months that it learns from; more are drawn so that long records count less. Cost grows as the cube."""
    search_rows: int = Field(1000, ge=20, le=20000)
    """Tower months that one step of the search for the kernel sees, drawn anew each time."""
    steps: int = Field(40, ge=1)
    """Steps of the search for the kernel by maximum likelihood."""
    balance: float = Field(0.5, ge=0, le=1)
    """Power by which the variance of a tower's fluxes lowers the weight of its months; 0 = all towers alike."""
