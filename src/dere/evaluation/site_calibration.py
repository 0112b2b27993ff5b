"""``site_calibration.csv``: what some months of its own give a tower (docs/tables.md#site_calibrationcsv)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dere.evaluation.bootstrap import geometric_ratio
from dere.evaluation.resampling import resample_clusters
from dere.evaluation.runs import POOLED
from dere.evaluation.site_scores import IDENTITY

WHOLE = "all"
KEY = (*IDENTITY, "known_months", "support_season", "flux")
COLUMNS = (
    *KEY,
    "sites",
    "clusters",
    "rmse_ratio",
    "ratio_low",
    "ratio_high",
    "share_better",
    "coverage_90",
    "width_ratio",
    "nse",
)


def site_calibration(towers: pd.DataFrame, resamples: int, seed: int) -> pd.DataFrame:
    """Table from the rows of towers of all files: every file by itself, and rows ``fold = all, seed = all``.

    Towers count alike: the logarithms of a tower's ratios, and its other scores, are averaged over stretches, folds and
    seeds first. Seasons of the known months are of all files together.

    Parameters
    ----------
    towers
        From `dere.evaluation.months_known.months_known`, of all files.
    resamples, seed
        Resamples of clusters for the interval of the ratio.

    Returns
    -------
    DataFrame
        Columns ``COLUMNS``.
    """
    if towers.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    rows = towers.rename(columns={"known": "known_months"}).assign(support_season=WHOLE)
    seasons = rows[towers["season"] != ""]
    seasons = seasons.assign(support_season=seasons["season"])
    together = pd.concat([rows, seasons], ignore_index=True).assign(fold=POOLED, seed=POOLED)
    found = []
    for part in (rows, together):
        for key, own in part.groupby(list(KEY), sort=False):
            found.append(dict(zip(KEY, key, strict=True)) | _row(own, resamples, seed))
    return pd.DataFrame(found, columns=list(COLUMNS))


def _row(rows: pd.DataFrame, resamples: int, seed: int) -> dict[str, float]:
    """Scores of a group of rows, over its towers."""
    means = dict.fromkeys(("log_ratio", "coverage_90", "nse", "width"), "mean")
    of_tower = rows.groupby("site").agg({**means, "cluster": "first"})
    cluster = of_tower["cluster"].to_numpy(str)
    counts = resample_clusters(cluster, resamples, np.random.default_rng(seed))
    log_ratio = of_tower["log_ratio"].to_numpy(float)
    ratio = geometric_ratio(np.exp(log_ratio), np.ones(len(log_ratio)), counts)
    return {
        "sites": len(of_tower),
        "clusters": len(np.unique(cluster)),
        "rmse_ratio": ratio.value,
        "ratio_low": ratio.low,
        "ratio_high": ratio.high,
        "share_better": float((log_ratio < 0).mean()),
        "coverage_90": float(of_tower["coverage_90"].mean()),
        "width_ratio": float(of_tower["width"].mean()),
        "nse": float(of_tower["nse"].median()),
    }
