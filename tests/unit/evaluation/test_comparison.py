"""The comparison of methods on backbones, from scores of made-up towers through the tables it is made of."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from dere.config.evaluation import EvaluationConfig
from dere.evaluation.bootstrap import paired
from dere.evaluation.comparison import Member, columns, comparison
from dere.evaluation.schemas import checked
from dere.evaluation.site_scores import COLUMNS as SITE_COLUMNS
from dere.evaluation.site_scores import SCORES
from dere.evaluation.tables import skill
from dere.methods import methods

CONFIG = EvaluationConfig(bootstrap=60)
REFERENCES = {"kgml": True, "baseline": True, "gbm_sim": False}
RANKS = {name: method.rank for name, method in methods().items()}
SITES = 20
NETWORKS = {"baseline": 1.0, "kgml": 0.9, "dere": 0.8}
BACKBONES = {"transformer": 1.0, "fedformer": 1.3}
TREES = {"gbm": 0.95, "gbm_sim": 0.85}


@cache
def site_scores(seeds: int) -> pd.DataFrame:
    """RMSE of a tower = its own level x a factor of method and backbone x noise of the seed; ensembles are better."""
    level = np.exp(np.random.default_rng(0).normal(0, 0.5, SITES))
    who = [(m, b, f * g) for m, f in NETWORKS.items() for b, g in BACKBONES.items()]
    who += [(m, "none", f) for m, f in TREES.items()]
    parts = []
    for number, (method, backbone, factor) in enumerate(who):
        for fold, seed in [("0", str(s)) for s in range(seeds)] + [("all", "ensemble")]:
            noise = np.random.default_rng([number, len(seed), ord(seed[0])]).normal(0, 0.05, SITES)
            for rows in ("measured", "virtual"):
                rmse = level * factor * np.exp(noise) * (0.9 if seed == "ensemble" else 1) * (1 + (rows == "virtual"))
                part = pd.DataFrame({"site": [f"{rows[0]}{i:02d}" for i in range(SITES)], "rmse": rmse})
                part["nse"] = 1 - rmse / 3
                parts.append(part.assign(method=method, backbone=backbone, fold=fold, seed=seed, rows=rows))
    table = pd.concat(parts, ignore_index=True).assign(flux="nee", scale="monthly", quality=0.5, igbp="ENF")
    table = table.assign(koppen="Dfb", cluster=table["site"].str[:2], months=50, observed_mean=0.1)
    return table.assign(**{name: 0.5 for name in SCORES if name not in table})[list(SITE_COLUMNS)]


def members() -> list[Member]:
    jobs = {"baseline": ("baseline",), "kgml": ("kgml_simulation", "kgml_towers"), "dere": ("pure", "uncertain")}
    found = []
    for method, stages in jobs.items():
        for backbone in BACKBONES:
            named = tuple(f"train_{stage}/{backbone}" for stage in stages)
            named += ("train_imputation",) if method == "dere" else ()
            found.append(Member(method, backbone, named, stages if method == "dere" else stages[-1:]))
    return found + [Member(name, "none", (f"train_{name}/none",)) for name in TREES]


def cost_of(seeds: int) -> pd.DataFrame:
    """Job number n of seed s took n + 10 s seconds."""
    jobs = list(dict.fromkeys(job for member in members() for job in member.jobs))
    rows = [
        {"rule": job.split("/")[0], "wildcards": "/".join([*job.split("/")[1:], "fold0", f"seed{seed}"]),
         "repeats": 1, "seconds": n + 10.0 * seed, "max_rss_mb": 100.0 + n, "cpu_seconds": n / 2}
        for n, job in enumerate(jobs, start=1)
        for seed in range(seeds)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def manifests_of(seeds: int) -> list[dict]:
    sizes = {"baseline": 10, "kgml_towers": 20, "pure": 300, "uncertain": 40}
    return [
        {"stage": stage, "fold": 0, "seed": seed, "parameters": size + 1000 * n, "params": {"backbone_name": backbone}}
        for n, backbone in enumerate(BACKBONES)
        for stage, size in sizes.items()
        for seed in range(seeds)
    ]


@cache
def scored(seeds: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    return skill(site_scores(seeds)), paired(site_scores(seeds), CONFIG, RANKS)


def made(seeds: int, **other) -> pd.DataFrame:
    table, pairs = scored(seeds)
    parts = {"skill": table, "paired": pairs, "cost": cost_of(seeds), "manifests": manifests_of(seeds)}
    return comparison(**(parts | {"members": members(), "references": REFERENCES} | other))


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return checked(made(3), "comparison", references=list(REFERENCES)).set_index(["method", "backbone", "grouping"])


def test_every_member_has_a_row_per_grouping_and_all_columns(table):
    assert len(table) == 8 * 2 and set(table["flux"]) == {"nee"}
    assert list(table.reset_index().columns[:3]) == ["method", "backbone", "grouping"]
    assert [*table.index.names, *table.columns] == columns(REFERENCES)
    assert (table["seeds"] == 3).all() and (table["folds"] == 1).all() and (table["sites"] == SITES).all()


def test_scores_are_means_over_seeds_of_medians_over_towers(table):
    scores = site_scores(3).query("method == 'dere' and backbone == 'fedformer' and rows == 'measured'")
    medians = scores[scores["seed"] != "ensemble"].groupby("seed")[["nse", "rmse"]].median()
    row = table.loc[("dere", "fedformer", "all")]
    assert row["nse"] == pytest.approx(medians["nse"].mean())
    assert row["nse_seed_std"] == pytest.approx(medians["nse"].std(ddof=1)) and row["nse_seed_std"] > 0
    assert row["rmse"] == pytest.approx(medians["rmse"].mean())
    assert row["rmse_seed_std"] == pytest.approx(medians["rmse"].std(ddof=1))
    assert row["nse_ensemble"] == pytest.approx(scores.loc[scores["seed"] == "ensemble", "nse"].median())


@pytest.mark.parametrize(
    ("a", "b"), [("dere", "kgml"), ("kgml", "dere"), ("baseline", "kgml"), ("kgml", "baseline"), ("dere", "baseline")]
)
@pytest.mark.parametrize("backbone", BACKBONES)
def test_ratios_are_of_the_same_backbone_in_both_directions(table, a, b, backbone):
    if b == "dere":
        a, b = b, a
    scores = site_scores(3).query("rows == 'measured' and seed != 'ensemble' and backbone == @backbone")
    mean = scores.groupby(["method", "site"])["rmse"].mean().unstack(0)
    row = table.loc[(a, backbone, "all")]
    assert row[f"ratio_{b}"] == pytest.approx(np.exp(np.log(mean[a] / mean[b]).mean()))
    assert row[f"ratio_{b}_low"] < row[f"ratio_{b}"] < row[f"ratio_{b}_high"]


def test_a_ratio_turned_round_has_the_interval_turned_round(table):
    forward, back = table.loc[("kgml", "transformer", "all")], table.loc[("baseline", "transformer", "all")]
    assert forward["ratio_baseline"] * back["ratio_kgml"] == pytest.approx(1)
    assert forward["ratio_baseline_low"] * back["ratio_kgml_high"] == pytest.approx(1)
    trees, network = table.loc[("gbm", "none", "virtual")], table.loc[("dere", "fedformer", "virtual")]
    assert trees["ratio_gbm_sim"] == pytest.approx(0.95 / 0.85, rel=0.05)
    assert network["ratio_gbm_sim"] == pytest.approx(0.8 * 1.3 / 0.85, rel=0.05)


def test_a_method_is_not_compared_with_itself_and_trees_not_with_networks(table):
    assert np.isnan(table.loc[("kgml", "fedformer", "all"), "ratio_kgml"])
    assert np.isnan(table.loc[("gbm_sim", "none", "all"), "ratio_gbm_sim"])
    assert table.loc["gbm"][["ratio_kgml", "ratio_baseline_high"]].isna().all(axis=None)


def test_cost_is_the_sum_over_all_stages_and_the_mean_over_seeds(table):
    # Jobs in order: baseline x 2, kgml x 2 x 2, dere (pure, uncertain, imputation; pure, uncertain), trees x 2.
    row = table.loc[("dere", "fedformer", "all")]
    assert row["seconds"] == pytest.approx(10 + 11 + 9 + 3 * 10)
    assert row["cpu_seconds"] == pytest.approx((10 + 11 + 9) / 2) and row["max_rss_mb"] == 111
    assert (row["stages"], row["shared_stages"]) == ("pure uncertain imputation", "imputation")
    assert row["parameters"] == 340 + 2000
    trees = table.loc[("gbm", "none", "all")]
    assert (trees["stages"], trees["shared_stages"]) == ("gbm", "") and np.isnan(trees["parameters"])


def test_an_unmeasured_job_makes_the_sum_unknown():
    cost = cost_of(1)
    cost.loc[cost["rule"] == "train_imputation", "cpu_seconds"] = np.nan
    table = made(1, cost=cost).set_index(["method", "backbone"])
    assert table.loc["dere", "cpu_seconds"].isna().all() and table.loc["kgml", "cpu_seconds"].notna().all()


def test_one_seed_has_scores_without_spread():
    table = checked(made(1), "comparison", references=list(REFERENCES)).set_index(["method", "backbone", "grouping"])
    scores = site_scores(1).query("method == 'kgml' and backbone == 'fedformer' and rows == 'measured'")
    row = table.loc[("kgml", "fedformer", "all")]
    assert row["nse"] == pytest.approx(scores.loc[scores["seed"] == "0", "nse"].median())
    assert row["seeds"] == 1 and np.isnan(row["nse_seed_std"]) and row["ratio_baseline"] < 1


def test_a_run_of_one_method_has_empty_ratios():
    _, pairs = scored(1)
    alone = [member for member in members() if member.method == "gbm"]
    table = checked(made(1, paired=pairs.iloc[:0], members=alone), "comparison", references=list(REFERENCES))
    assert list(table["grouping"]) == ["all", "virtual"] and table.filter(like="ratio_").isna().all(axis=None)


def test_what_is_missing_ends_in_a_sentence():
    table, _ = scored(1)
    with pytest.raises(ValueError, match=r"skill.csv: it has no monthly score of kgml on backbone fedformer"):
        made(1, skill=table[~((table["method"] == "kgml") & (table["backbone"] == "fedformer"))])
    cost = cost_of(1)
    with pytest.raises(ValueError, match=r"cost.csv: it has no job train_imputation/fold<k>/seed<s>, which dere on"):
        made(1, cost=cost[cost["rule"] != "train_imputation"])
    manifests = manifests_of(3)
    with pytest.raises(ValueError, match=r"stage uncertain of backbone transformer has no parameters"):
        made(3, manifests=[m for m in manifests if m["stage"] != "uncertain"])
    manifests[0] = manifests[0] | {"parameters": 7}
    with pytest.raises(ValueError, match=r"stage baseline of backbone transformer has \[7, 10\] parameters"):
        made(3, manifests=manifests)
