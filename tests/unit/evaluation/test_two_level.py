"""Intervals of clusters and seeds together, and of several assignments of clusters to folds."""

import numpy as np
import pandas as pd
import pytest

from dere.config.evaluation import EvaluationConfig
from dere.evaluation import bootstrap, two_level
from dere.evaluation.schemas import checked
from dere.evaluation.site_scores import COLUMNS, SCORES

CONFIG = EvaluationConfig(bootstrap=300)
SITES = 30
CLUSTER = np.array([f"c{i // 2:02d}" for i in range(SITES)])


def scores(method, factor, seeds, noise, folds=("0",)):
    """Per-tower scores of a method whose seeds and folds differ by a common factor and by noise."""
    base = np.exp(np.random.default_rng(0).normal(0, 0.5, SITES))
    parts = []
    for fold in folds:
        for seed in range(seeds):
            rng = np.random.default_rng([seed, len(method), int(fold)])
            rmse = factor * base * np.exp(rng.normal(0, noise) + rng.normal(0, 0.2, SITES))
            part = pd.DataFrame({"site": [f"T{i:02d}" for i in range(SITES)], "rmse": rmse, "nse": 1 - rmse / 3})
            parts.append(part.assign(method=method, seed=str(seed), fold=fold, cluster=CLUSTER))
    fixed = {"backbone": "none", "flux": "nee", "scale": "monthly", "rows": "measured", "quality": 0.5, "igbp": "ENF"}
    whole = pd.concat(parts, ignore_index=True).assign(**fixed, koppen="Dfb", months=50, observed_mean=0.1)
    return whole.assign(**{name: 0.5 for name in SCORES if name not in whole})[list(COLUMNS)]


def obvious(a, b, counts, drawn):
    """Median difference and geometric ratio of each resample, seeds and sites written out; (site, seed) scores."""
    found = []
    for count, seeds in zip(counts, drawn, strict=True):
        picked = np.repeat(np.arange(len(seeds)), seeds)
        mean = {key: np.repeat(values[:, picked % values.shape[1]].mean(1), count) for key, values in (a | b).items()}
        difference = np.median(mean["nse a"]) - np.median(mean["nse b"])
        found.append((difference, np.exp(np.log(mean["rmse a"] / mean["rmse b"]).mean())))
    return np.quantile(found, [0.025, 0.975], axis=0).T


@pytest.mark.parametrize("lone", [False, True])
def test_intervals_are_those_of_the_obvious_double_loop(lone):
    table = pd.concat([scores("first", 0.9, 3, 0.1), scores("second", 1.0, 1 if lone else 3, 0.1)])
    row = bootstrap.paired(checked(table, "site_skill"), CONFIG, {"first": 2, "second": 1}).iloc[0]
    wide = {
        f"{key} {short}": table[table["method"] == name].pivot(index="site", columns="seed", values=key).to_numpy()
        for short, name in (("a", "first"), ("b", "second"))
        for key in ("nse", "rmse")
    }
    counts = bootstrap.resample_clusters(CLUSTER, CONFIG.bootstrap, np.random.default_rng(CONFIG.seed))
    drawn = two_level.resample_seeds(3, CONFIG.bootstrap, CONFIG.seed)
    nse, ratio = obvious(wide, {}, counts, drawn)
    assert [row["nse_low"], row["nse_high"]] == pytest.approx(nse)
    assert [row["ratio_low"], row["ratio_high"]] == pytest.approx(ratio)
    assert row["detectable_ratio"] == pytest.approx(np.exp(-np.log(ratio[1] / ratio[0]) / 2))


def test_noise_of_the_seeds_widens_the_interval_and_one_seed_has_that_of_clusters():
    width = {}
    for noise in (0.0, 0.3):
        table = pd.concat([scores("first", 1.0, 4, noise), scores("second", 1.0, 4, 0.0)])
        row = bootstrap.paired(table, CONFIG).iloc[0]
        width[noise] = row["detectable_ratio"]
    assert width[0.3] < width[0.0] - 0.05
    table = pd.concat([scores("first", 0.9, 1, 0.1), scores("second", 1.0, 1, 0.1)])
    a, b = (table.loc[table["method"] == name, "rmse"].to_numpy() for name in ("first", "second"))
    counts = bootstrap.resample_clusters(CLUSTER, CONFIG.bootstrap, np.random.default_rng(CONFIG.seed))
    row = bootstrap.paired(table, CONFIG, {"first": 2, "second": 1}).iloc[0]
    assert tuple(row[["rmse_ratio", "ratio_low", "ratio_high"]]) == tuple(bootstrap.geometric_ratio(a, b, counts))


def test_a_seed_without_a_score_is_left_out_of_the_mean():
    values = np.array([[1.0, 3.0], [np.nan, 5.0]])
    drawn = np.array([[1, 1], [2, 0]])
    assert two_level.seed_means(values, drawn).tolist() == [[2.0, 5.0], [1.0, 5.0]]


def test_assignments_are_averaged_within_a_tower_and_clusters_count_once():
    folds = ("0", "5", "10")
    table = pd.concat([scores("first", 0.9, 1, 0.1, folds), scores("second", 1.0, 1, 0.1, folds)])
    row = bootstrap.paired(table, CONFIG, {"first": 2, "second": 1}).iloc[0]
    wide = table.pivot(index=["site", "fold"], columns="method", values="rmse")
    of_tower = np.log(wide["first"] / wide["second"]).groupby("site").mean()
    assert row["rmse_ratio"] == pytest.approx(np.exp(of_tower.mean())) and row["sites"] == SITES
    assert row["clusters"] == SITES / 2
    counts = bootstrap.resample_clusters(CLUSTER, CONFIG.bootstrap, np.random.default_rng(CONFIG.seed))
    draws = np.exp(counts @ of_tower.to_numpy() / counts.sum(1))
    assert [row["ratio_low"], row["ratio_high"]] == pytest.approx(np.quantile(draws, [0.025, 0.975]))
    nse = table.groupby(["method", "site"])["nse"].mean().groupby("method").median()
    assert row["nse_difference"] == pytest.approx(nse["first"] - nse["second"])
