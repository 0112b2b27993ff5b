"""Configuration of the judging."""

from __future__ import annotations

from pydantic import Field

from dere.config.base import Section


class EvaluationConfig(Section):
    """Scores."""

    testing_quality: tuple[float, ...] = Field((0.5, 0.8), min_length=1)
    """Months below this quality are not scored; every threshold gives its own rows, the first is the main one."""
    minimum_measured: float | None = Field(None, ge=0, le=1)
    """Also leave out months with a smaller share of measured, never filled, NEE records (half-hourly files state it;
    months that do not are left out); null = quality alone decides."""
    bootstrap: int = Field(2000, ge=10)
    """Resamples of clusters for paired intervals."""
    minimum_months: int = Field(12, ge=2)
    """Good months a tower needs for a score."""
    minimum_years: int = Field(5, ge=2)
    """Good years a tower needs for an interannual score."""
    minimum_months_per_year: int = Field(6, ge=1, le=12)
    """Good months that make a good year."""
    minimum_cycle_years: int = Field(2, ge=1)
    """Good values that a calendar month needs to enter the mean seasonal cycle."""
    cold_temperature: float = 0.0
    """Months colder than this (degC) get rows of their own: night-time partitioning scatters below zero there."""
    minimum_cold_months: int = Field(6, ge=2)
    """Good cold months a tower needs for a score of its cold months."""
    seed: int = Field(0, ge=0)
    """Seed of the bootstrap."""
