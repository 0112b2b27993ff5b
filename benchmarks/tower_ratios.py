"""Scores of fitted methods at single towers and their paired ratios, for comparisons that fit on the data of a run."""

from __future__ import annotations

import numpy as np
import pandas as pd

import dere
from dere.api.model import Model
from dere.evaluation.bootstrap import geometric_ratio
from dere.evaluation.resampling import resample_clusters

KEY = ["towers", "flux"]


def scores_of(model: Model, run: dere.Run, **about: str | int) -> pd.DataFrame:
    """Monthly NSE, RMSE and cluster of every measured test tower and virtual tower, with columns that name the fit."""
    judged = dere.evaluate(dere.predict(model, run), run).site_skill
    measured = (judged["rows"] == "measured") & (judged["quality"] == run.tree["evaluation"]["testing_quality"][0])
    rows = judged[(judged["scale"] == "monthly") & (measured | (judged["rows"] == "virtual"))]
    rows = rows.assign(towers=rows["rows"].replace("measured", "test"), **about)
    return rows[[*KEY, *about, "site", "cluster", "nse", "rmse"]]


def compared(found: pd.DataFrame, arm: str, against: str, resamples: int, seed: int) -> pd.DataFrame:
    """Median NSE of each arm and its RMSE over that of one of them at the same towers, with cluster intervals.

    Parameters
    ----------
    found
        `scores_of` of all arms, with columns ``fold`` and ``seed``, over which logarithms are averaged first.
    arm, against
        Column that names the arms, and the one that all are compared with.
    resamples, seed
        Of the bootstrap over clusters of towers.

    Returns
    -------
    DataFrame
        Columns ``arm``, towers, flux, seeds, sites, nse, rmse_ratio, ratio_low, ratio_high.
    """
    same = [*KEY, "fold", "seed", "site"]
    both = found.join(found[found[arm] == against].set_index(same)["rmse"], on=same, rsuffix="_other")
    both = both.assign(log=np.log(both["rmse"] / both["rmse_other"]))
    rows = []
    for key, part in both.groupby([arm, *KEY], sort=False):
        by_site = part.groupby("site").agg(log=("log", "mean"), nse=("nse", "mean"), cluster=("cluster", "first"))
        drawn = resample_clusters(by_site["cluster"].to_numpy(str), resamples, np.random.default_rng(seed))
        ratio = geometric_ratio(np.exp(by_site["log"].to_numpy()), np.ones(len(by_site)), drawn)
        rows.append([*key, part["seed"].nunique(), len(by_site), by_site["nse"].median(), *ratio])
    return pd.DataFrame(rows, columns=[arm, *KEY, "seeds", "sites", "nse", "rmse_ratio", "ratio_low", "ratio_high"])
