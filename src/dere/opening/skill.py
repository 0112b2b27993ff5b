"""How good: medians over towers that no stage has seen, and the paired ratio to the best simple method."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

import pandas as pd

from dere.opening.facts import Facts

PLACES = {"all": "test tower", "virtual": "virtual tower", "map": "map cell"}
"""Groupings of the table of scores, and where they are scored; the first that the run has is shown."""
SKILL = (
    "method",
    "backbone",
    "fold",
    "seed",
    "flux",
    "scale",
    "grouping",
    "group",
    "statistic",
    "sites",
    "nse",
    "rmse",
)
PAIRED = (
    *("method", "backbone", "against", "against_backbone", "grouping", "flux", "scale"),
    *("rmse_ratio", "ratio_low", "ratio_high"),
)
NAN = float("nan")
Pair = tuple[str, str, str, str, str]
"""Method, backbone, against, its backbone, flux."""


@dataclass(frozen=True)
class Score:
    """Scores of a method over towers: medians, and quartiles of the efficiency."""

    nse: float
    low: float
    high: float
    rmse: float
    sites: int


@dataclass(frozen=True)
class Ratio:
    """RMSE of one method over that of another with its 95 % interval."""

    value: float = NAN
    low: float = NAN
    high: float = NAN

    @property
    def verdict(self) -> str:
        """What the interval says; nothing where there is none."""
        if not self.low <= self.high:
            return ""
        return "better" if self.high < 1 else "worse" if self.low > 1 else "not told apart"


def pooled(skill: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """Return where the run is scored and the rows of that: monthly, all folds and seeds together.

    Parameters
    ----------
    skill
        ``tables/skill.csv`` with fold and seed as text.
    """
    rows = skill[(skill["scale"] == "monthly") & (skill["group"] == "all")]
    rows = rows[(rows["fold"] == "all") & (rows["seed"] == "all")]
    there = set(rows["grouping"])
    place = next((name for name in PLACES if name in there), "all")
    return place, rows[rows["grouping"] == place]


def scores(rows: pd.DataFrame) -> dict[tuple[str, str, str], Score]:
    """Return the scores of every (method, backbone, flux) of the rows of `pooled`."""
    records: list[dict[str, Any]] = rows[list(SKILL)].to_dict("records")  # type: ignore[assignment]
    of = {(str(r["method"]), str(r["backbone"]), str(r["flux"]), str(r["statistic"])): r for r in records}
    nse = {key: float(record["nse"]) for key, record in of.items()}
    return {
        (method, backbone, flux): Score(
            float(record["nse"]),
            nse.get((method, backbone, flux, "q25"), NAN),
            nse.get((method, backbone, flux, "q75"), NAN),
            float(record["rmse"]),
            int(record["sites"]),
        )
        for (method, backbone, flux, statistic), record in of.items()
        if statistic == "median"
    }


def best_simple(found: dict[tuple[str, str, str], Score], flux: str, facts: Facts) -> str:
    """Return the simple method of the highest median efficiency beside the one that is shown; empty without any."""
    simple = [
        (score.nse, method)
        for (method, _, of), score in found.items()
        if of == flux and method != facts.method and method in facts.methods and facts.methods[method].simple
        if isfinite(score.nse)
    ]
    return max(simple, default=(0.0, ""))[1]


def ratios(paired: pd.DataFrame | None, place: str) -> dict[Pair, Ratio]:
    """Return the ratio of each (method, backbone, against, against_backbone, flux), both ways, monthly."""
    if paired is None:
        return {}
    found = {}
    rows = paired[(paired["scale"] == "monthly") & (paired["grouping"] == place)]
    records: list[dict[str, Any]] = rows[list(PAIRED)].to_dict("records")  # type: ignore[assignment]
    for row in records:
        one, other = (str(row["method"]), str(row["backbone"])), (str(row["against"]), str(row["against_backbone"]))
        value, low, high = (float(row[name]) for name in ("rmse_ratio", "ratio_low", "ratio_high"))
        found[*one, *other, str(row["flux"])] = Ratio(value, low, high)
        found[*other, *one, str(row["flux"])] = Ratio(1 / value, 1 / high, 1 / low)
    return found
