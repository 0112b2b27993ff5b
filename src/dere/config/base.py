"""The base of every configuration model: unknown keys and infinite numbers rejected, values frozen after validation."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """One sub-tree of ``config.yaml``; a rule gets it whole, as one dict param."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)
