"""How sure: how many observations the intervals hold, of months and of annual means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from dere.opening.facts import Facts

CALIBRATION = (
    *("method", "backbone", "fold", "seed", "grouping", "part", "scale", "flux", "sites", "periods"),
    *("coverage_50", "coverage_90", "coverage_90_low", "coverage_90_high", "width_90"),
)
SCALES = {"monthly": "months", "annual": "annual means"}


@dataclass(frozen=True)
class Coverage:
    """Share of observations inside the central intervals, mean over towers."""

    half: float
    most: float
    low: float
    high: float
    width: float
    sites: int
    periods: int

    @property
    def verdict(self) -> str:
        """Whether the 90 % intervals are what they promise; nothing where chance is not known."""
        if not self.low <= self.high:
            return ""
        return "too narrow" if self.high < 0.9 else "too wide" if self.low > 0.9 else "as promised"


def coverages(calibration: pd.DataFrame | None, place: str, facts: Facts) -> dict[tuple[str, str], Coverage]:
    """Return what the intervals of the shown method hold, by (flux, scale); empty where it states none.

    Parameters
    ----------
    calibration
        ``tables/calibration.csv`` with fold and seed as text; None = the run has none.
    place
        Where it is judged (`dere.opening.skill.PLACES`).
    facts
        Says which method is shown.
    """
    if calibration is None:
        return {}
    mine = (calibration["method"] == facts.method) & (calibration["backbone"] == facts.backbone)
    whole = (calibration["part"] == "all") & (calibration["fold"] == "all") & (calibration["seed"] == "all")
    rows = calibration[mine & whole & (calibration["grouping"] == place)]
    records: list[dict[str, Any]] = rows[list(CALIBRATION)].to_dict("records")  # type: ignore[assignment]
    return {
        (str(row["flux"]), str(row["scale"])): Coverage(
            half=float(row["coverage_50"]),
            most=float(row["coverage_90"]),
            low=float(row["coverage_90_low"]),
            high=float(row["coverage_90_high"]),
            width=float(row["width_90"]),
            sites=int(row["sites"]),
            periods=int(row["periods"]),
        )
        for row in records
    }
