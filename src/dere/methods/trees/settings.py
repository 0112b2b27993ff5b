"""Settings of the tree models."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dere.config.base import Section


class TreesConfig(Section):
    """LightGBM on identical drivers, statics and quality weights."""

    balance: float = Field(0.5, ge=0, le=1)
    """0 = months count by quality alone; 1 = long records and towers of large variance count no more than others."""

    validation_towers: bool = True
    """Learn from validation towers too, as the members of networks do; false = from the training towers alone."""
    link: Literal["linear", "asinh"] = "linear"
    """Scale on which an exchange of one flux (ch4) is learned; asinh = level put right at held-out towers (0034)."""
    settings: int = Field(30, ge=2)
    """Random hyper-parameter settings tried by nested grouped cross-validation."""
    inner_folds: int = Field(3, ge=2)
    """Inner folds, grouped by cluster."""
    trees: int = Field(300, ge=10)
    """Most boosting rounds of one fit; the number used is chosen by the inner cross-validation."""
    threads: int = Field(1, ge=1)
    """Threads of one fit."""
