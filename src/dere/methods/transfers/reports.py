"""What a stage says of its own training beside losses, for the table of transfers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dere.training.fitted import Fitted

REPORTED = "reported"
"""Fact of a stage: list of ``quantity``, ``flux`` (empty = of all) and ``value``."""


def reporting(fitted: Fitted, values: Mapping[tuple[str, str], float]) -> Fitted:
    """Add what a stage reports to its facts.

    Parameters
    ----------
    values
        By quantity and flux; what is no number is left out.
    """
    rows: list[dict[str, Any]] = [
        {"quantity": quantity, "flux": flux, "value": float(value)}
        for (quantity, flux), value in values.items()
        if math.isfinite(value)
    ]
    return replace(fitted, facts={**fitted.facts, REPORTED: rows})
