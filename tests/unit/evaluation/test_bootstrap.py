"""Paired cluster bootstrap."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dere.config.evaluation import EvaluationConfig
from dere.evaluation import bootstrap as bs
from dere.evaluation.schemas import checked
from dere.evaluation.site_scores import COLUMNS, SCORES
from dere.methods import methods

CONFIG = EvaluationConfig(bootstrap=400)
RANKS = {name: method.rank for name, method in methods().items()}


@given(st.integers(0, 10_000), st.integers(2, 12), st.integers(1, 5))
def test_resampled_median_and_mean_equal_those_of_the_repeated_sample(seed, sites, clusters):
    rng = np.random.default_rng(seed)
    counts = bs.resample_clusters(rng.integers(clusters, size=sites), 8, rng)
    values = rng.normal(size=sites)
    for i, count in enumerate(counts):
        sample = np.repeat(values, count)
        assert bs.resampled_median(values, counts)[i] == np.median(sample)
        assert bs.resampled_mean(values, counts)[i] == pytest.approx(sample.mean())


@given(st.integers(0, 1000))
def test_sites_of_a_cluster_are_drawn_together(seed):
    rng = np.random.default_rng(seed)
    clusters = np.array(["a", "b", "a", "c", "b"])
    counts = bs.resample_clusters(clusters, 50, rng)
    assert (counts[:, 0] == counts[:, 2]).all() and (counts[:, 1] == counts[:, 4]).all()
    assert (counts[:, [0, 1, 3]].sum(1) == 3).all()


def test_clustered_sites_widen_the_interval():
    rng = np.random.default_rng(0)
    effect = np.repeat(rng.normal(size=20), 10)
    a = effect + rng.normal(0, 0.1, 200)
    by_cluster = bs.resampled_median(a, bs.resample_clusters(np.repeat(np.arange(20), 10), 800, rng))
    by_site = bs.resampled_median(a, bs.resample_clusters(np.arange(200), 800, rng))
    assert by_cluster.std() > 2 * by_site.std()


def test_geometric_ratio_closed_form():
    counts = np.ones((10, 3), int)
    found = bs.geometric_ratio(np.array([1.0, 2.0, 8.0]), np.array([2.0, 2.0, 2.0]), counts)
    assert found.value == pytest.approx((0.5 * 1 * 4) ** (1 / 3)) and found.low == pytest.approx(found.value)


def test_interval_covers_the_true_ratio_about_as_often_as_it_says():
    hits = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        b = np.exp(rng.normal(0, 1, 60))
        a = b * np.exp(rng.normal(-0.1, 0.3, 60))
        found = bs.geometric_ratio(a, b, bs.resample_clusters(np.arange(60), 300, rng))
        hits += found.low <= np.exp(-0.1) <= found.high
    assert 0.88 <= hits / 200 <= 0.99


def table(methods: dict[str, float], seeds: int = 1, sites: int = 40, rows: str = "measured") -> pd.DataFrame:
    """Per-tower scores: method of RMSE factor f against common towers."""
    rng = np.random.default_rng(5)
    base = np.exp(rng.normal(0, 0.5, sites))
    parts = []
    for method, factor in methods.items():
        for seed in range(seeds):
            rmse = factor * base * np.exp(np.random.default_rng(seed).normal(0, 0.05, sites))
            part = pd.DataFrame({"site": [f"T{i:02d}" for i in range(sites)], "rmse": rmse, "nse": 1 - rmse / 3})
            parts.append(part.assign(method=method, seed=str(seed), cluster=[f"c{i // 2}" for i in range(sites)]))
    whole = pd.concat(parts, ignore_index=True)
    fixed = {"backbone": "none", "fold": "0", "flux": "nee", "scale": "monthly", "rows": rows, "quality": 0.5}
    whole = whole.assign(**fixed, igbp="ENF", koppen="Dfb", months=50, observed_mean=0.1)
    for name in SCORES:
        if name not in whole:
            whole[name] = 0.5
    return whole[list(COLUMNS)]


def test_pairs_point_from_the_method_to_its_baseline_and_find_the_truth():
    found = bs.paired(table({"gbm": 1.0, "dere": 0.9, "climatology": 1.5}), CONFIG, RANKS)
    checked(found, "paired")
    assert list(zip(found["method"], found["against"], strict=True)) == [
        ("dere", "gbm"),
        ("dere", "climatology"),
        ("gbm", "climatology"),
    ]
    row = found.iloc[0]
    assert row["rmse_ratio"] == pytest.approx(0.9) and row["ratio_high"] < 1 and row["nse_low"] > 0
    assert row["sites"] == 40 and row["clusters"] == 20 and row["share_better"] == 1.0
    assert row["grouping"] == "all" and np.isnan(row["nse_difference_seed_std"])


def test_seeds_are_averaged_per_site_and_their_spread_is_reported():
    scores = table({"gbm": 1.0, "dere": 0.95}, seeds=3)
    found = bs.paired(scores, CONFIG, RANKS).iloc[0]
    mean = scores.groupby(["method", "site"])["nse"].mean().unstack(0)
    assert found["nse_difference"] == pytest.approx(mean["dere"].median() - mean["gbm"].median())
    assert found["seeds"] == 3 and found["nse_difference_seed_std"] > 0


def test_a_method_of_one_seed_stands_beside_all_seeds_of_the_other():
    scores = pd.concat([table({"dere": 0.9}, seeds=3), table({"gbm": 1.0})])
    assert bs.paired(scores, CONFIG, RANKS).iloc[0]["seeds"] == 3


def test_only_identical_towers_are_compared():
    scores = table({"gbm": 1.0, "dere": 0.9})
    lost = scores[~((scores["method"] == "gbm") & scores["site"].isin(["T00", "T01"]))]
    found = bs.paired(lost, CONFIG, RANKS).iloc[0]
    assert found["sites"] == 38 and found["clusters"] == 19


def test_many_methods_give_the_intervals_of_pairs_alone():
    """One of three methods lacks two towers, so pairs differ in what they share."""
    scores = table({"gbm": 1.0, "kgml": 0.95, "dere": 0.9})
    scores = scores[~((scores["method"] == "kgml") & scores["site"].isin(["T00", "T07"]))]
    together = bs.paired(scores, CONFIG, RANKS).set_index(["method", "against"])
    for a, b in together.index:
        values = scores.pivot(index="site", columns="method", values="nse")
        shared = values[[a, b]].notna().all(axis=1).to_numpy()
        clusters = np.array([f"c{i // 2}" for i in range(len(values))])
        counts = bs.resample_clusters(clusters, CONFIG.bootstrap, np.random.default_rng(CONFIG.seed))[:, shared]
        first, second = (values[name].to_numpy()[shared] for name in (a, b))
        draws = [np.median(np.repeat(first, n)) - np.median(np.repeat(second, n)) for n in counts]
        alone = [np.median(first) - np.median(second), *np.quantile(draws, [0.025, 0.975])]
        assert list(together.loc[(a, b), ["nse_difference", "nse_low", "nse_high"]]) == pytest.approx(alone)


def test_every_network_is_paired_with_the_others_of_its_backbone():
    parts = [table({"baseline": 1.0, "kgml": 0.9}).assign(backbone=name) for name in ("informer", "timexer")]
    found = bs.paired(pd.concat([*parts, table({"gbm_sim": 0.8})]), CONFIG, RANKS)
    pairs = set(zip(found["method"], found["backbone"], found["against"], found["against_backbone"], strict=True))
    for name in ("informer", "timexer"):
        assert {("kgml", name, "baseline", name), ("kgml", name, "gbm_sim", "none")} <= pairs


def test_equal_seeds_give_equal_intervals_and_other_seeds_others():
    scores = table({"gbm": 1.0, "dere": 0.99})
    first, again = bs.paired(scores, CONFIG, RANKS), bs.paired(scores, CONFIG, RANKS)
    pd.testing.assert_frame_equal(first, again)
    other = bs.paired(scores, EvaluationConfig(bootstrap=400, seed=1), RANKS)
    assert other.iloc[0]["nse_low"] != first.iloc[0]["nse_low"]


def test_virtual_towers_have_rows_of_their_own_and_ensembles_none():
    scores = pd.concat([table({"gbm": 1.0, "dere": 0.9}, rows=rows) for rows in ("measured", "virtual")])
    ensemble = scores.assign(seed="ensemble", rmse=99.0)
    found = bs.paired(pd.concat([scores, ensemble]), CONFIG, RANKS)
    assert list(found["grouping"]) == ["all", "virtual"] and (found["rmse_ratio"] < 1).all()
