"""``calibration.csv``: whether intervals hold what they promise at unseen towers (docs/tables.md#calibrationcsv)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.evaluation.bootstrap import resample_clusters, resampled_mean
from dere.evaluation.runs import ENSEMBLE, POOLED
from dere.evaluation.site_scores import IDENTITY
from dere.evaluation.tower_coverage import COVERAGES, MEANS, PIT, WIDTHS

WHOLE = "all"
MAP = "map"
"""Cells of the public maps, which are of all folds and seeds."""
PARTS = ("igbp", "season", "distance")
"""By what towers and months are told apart beside all of them together."""
FIFTHS = ("1 nearest", "2", "3", "4", "5 farthest")
FEWEST = 0.7
"""Coverage of 90 % intervals below which a tower counts as badly covered."""
KEY = (*IDENTITY, "grouping", "part", "group", "scale", "flux")
COLUMNS = (
    *KEY,
    "sites",
    "periods",
    *COVERAGES,
    "coverage_90_low",
    "coverage_90_high",
    "coverage_90_tower_q25",
    "towers_below_70",
    *WIDTHS,
    "spread_error",
    "crps",
    *PIT,
)


def calibration(towers: pd.DataFrame, resamples: int = 0, seed: int = 0) -> pd.DataFrame:
    """Table from the rows of towers of all files: every file by itself, and rows ``fold = all, seed = all``.

    Towers count alike, however long their records are and in however many files they are judged: a tower's files are
    averaged first. ``sites`` and ``periods`` count each tower once. Parts (classes, seasons, fifths of the distance in
    driver space) are of all files together. Files of averaged seeds and folds have rows of their own and are in no
    pooled one.

    Parameters
    ----------
    towers
        From `dere.evaluation.tower_coverage.tower_coverage`, of all files.
    resamples
        Resamples of clusters for ``coverage_90_low`` and ``coverage_90_high`` of the pooled rows; 0 = none.
    seed
        Of the resamples.

    Returns
    -------
    DataFrame
        Columns ``COLUMNS``.
    """
    if towers.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    whole = towers[(towers["season"] == WHOLE) & (towers["grouping"] != MAP)].assign(part=WHOLE, group=WHOLE)
    single = [_row(dict(zip(KEY, key, strict=True)), rows) for key, rows in whole.groupby(list(KEY), sort=False)]
    runs = towers[((towers["fold"] != POOLED) & (towers["seed"] != ENSEMBLE)) | (towers["grouping"] == MAP)]
    together = pd.concat([_grouped(runs, part) for part in (WHOLE, *PARTS)], ignore_index=True)
    together = together.assign(fold=POOLED, seed=POOLED)
    pooled = []
    for key, rows in together.groupby(list(KEY), sort=False):
        averaged = rows.groupby("site").agg({**dict.fromkeys(MEANS, "mean"), "periods": "max", "cluster": "first"})
        row = _row(dict(zip(KEY, key, strict=True)), averaged)
        pooled.append(row | _interval(averaged, resamples, seed))
    return pd.DataFrame([*single, *pooled], columns=list(COLUMNS))


def _grouped(towers: pd.DataFrame, part: str) -> pd.DataFrame:
    """Rows of towers with ``part`` and ``group``."""
    if part == "season":
        own = towers[towers["season"] != WHOLE]
        return own.assign(part=part, group=own["season"])
    own = towers[towers["season"] == WHOLE]
    if part == WHOLE:
        return own.assign(part=part, group=WHOLE)
    if part == "igbp":
        own = own[own["igbp"] != ""]
        return own.assign(part=part, group=own["igbp"])
    own = own[own["distance"].notna()]
    key = ["method", "backbone", "grouping", "scale", "flux"]
    rank = own.groupby(key)["distance"].rank(method="first", pct=True)
    fifth = np.clip(np.ceil(rank.to_numpy() * len(FIFTHS)).astype(int), 1, len(FIFTHS)) - 1
    return own.assign(part=part, group=np.asarray(FIFTHS)[fifth])


def _row(key: dict[str, object], rows: pd.DataFrame) -> dict[str, object]:
    """Means over the towers of a group, one row each."""
    found = key | {"sites": len(rows), "periods": int(rows["periods"].sum())}
    found |= {name: float(rows[name].mean()) for name in (*COVERAGES, *WIDTHS, "crps", *PIT)}
    by_tower = rows["coverage_90"].dropna()
    found["coverage_90_tower_q25"] = float(by_tower.quantile(0.25)) if len(by_tower) else np.nan
    found["towers_below_70"] = float((by_tower < FEWEST).mean()) if len(by_tower) else np.nan
    square_spread, square_error = rows["square_spread"].mean(), rows["square_error"].mean()
    # a single forecast has no ratio, and 0 would read as a bad one
    has_ratio = square_spread > 0 and square_error > 0
    return found | {"spread_error": float(np.sqrt(square_spread / square_error)) if has_ratio else np.nan}


def _interval(rows: pd.DataFrame, resamples: int, seed: int) -> dict[str, float]:
    """Interval of the mean coverage over clusters of towers."""
    known = rows[rows["coverage_90"].notna()]
    if not resamples or known["cluster"].nunique() < 2:
        return {}
    counts = resample_clusters(known["cluster"].to_numpy(str), resamples, np.random.default_rng(seed))
    values: NDArray[np.float64] = known["coverage_90"].to_numpy(float)
    low, high = np.quantile(resampled_mean(values, counts), (0.025, 0.975))
    return {"coverage_90_low": float(low), "coverage_90_high": float(high)}
