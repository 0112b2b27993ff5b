"""Settings of the mean of methods."""

from __future__ import annotations

from pydantic import Field

from dere.config.base import Section


class BlendConfig(Section):
    """Plain mean of several methods of the run."""

    methods: tuple[str, ...] = Field(("gbm", "gp", "dere"), min_length=2)
    """Methods whose mean it is; each must be among the run's methods, and at least one exchange common to all."""
