"""Configuration of the simple baselines and of the judging."""

from __future__ import annotations

from pydantic import Field

from dere.config.base import Section


class TreesConfig(Section):
    """LightGBM on identical drivers, statics, rows and quality weights."""

    settings: int = Field(30, ge=2)
    """Random hyper-parameter settings tried by nested grouped cross-validation."""
    inner_folds: int = Field(3, ge=2)
    """Inner folds, grouped by cluster."""
    threads: int = Field(1, ge=1)
    """Threads of one fit."""


class EvaluationConfig(Section):
    """Scores."""

    testing_quality: tuple[float, ...] = (0.5, 0.8)
    """Months below this quality are not scored; every threshold gives its own rows."""
    bootstrap: int = Field(2000, ge=10)
    """Resamples of clusters for paired intervals."""
    minimum_months: int = Field(12, ge=2)
    """Good months a tower needs for a score."""
    minimum_years: int = Field(5, ge=2)
    """Good years a tower needs for an interannual score."""
    seed: int = 0
    """Seed of the bootstrap."""
