"""Configuration of who trains, validates and tests."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dere.config.base import Section


class SplitsConfig(Section):
    """Who trains, validates and tests."""

    folds: int = Field(5, ge=3)
    """Number of folds; test = fold k, validation = fold k+1, the rest trains."""
    cluster_km: float = Field(50.0, gt=0)
    """Towers closer than this share a fold."""
    block_degrees: float = Field(12.0, gt=0)
    """Cells in one block of this size share a fold."""
    seed: int = Field(0, ge=0)
    """Seed of the assignment of clusters to folds."""
    cell_rule: Literal["blocks", "published_every_fourth"] = "blocks"
    """blocks = cells of one block share a fold; published_every_fourth = the published lattice (fold 0 only)."""
    site_rule: Literal["clusters", "published"] = "clusters"
    """clusters = neighbouring towers share a fold; published = training and test towers of the dere arrays (fold 0)."""
