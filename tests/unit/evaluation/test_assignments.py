"""Several assignments of clusters to folds in the judge: a tower is tested once in each, and counts once."""

import numpy as np
import pytest
import xarray as xr

from dere.config.evaluation import EvaluationConfig
from dere.evaluation.ensemble import ensemble
from dere.evaluation.judge import judge, members_of
from dere.evaluation.predictions import judged, sites_with_role
from dere.harmonise.site_roles import OF_SPLIT
from dere.harmonise.splits import folds_of_assignment, roles
from dere.training.roles import PREDICTED

CONFIG = EvaluationConfig(bootstrap=50, minimum_years=3)


@pytest.fixture
def splits(members):
    """Two assignments: in the second every cluster lies two folds further on."""
    table = members.drop(columns="role")
    return table.assign(fold_1=np.where(table["fold"] >= 0, (table["fold"] + 2) % 5, -1))


@pytest.fixture
def files(splits, towers):
    """All folds of both assignments: the truth plus the fold's number over a hundred, with a spread."""
    made = {}
    for fold in range(10):
        known = roles(splits, fold)
        here = towers["true_flux"].assign_coords(site=towers["site"].values)
        values = here.transpose("site", "time", "flux").astype(float) + np.array([1.0, 1.0, 0.0]) * (1 + fold / 100)
        role = known[known["kind"] == "site"].set_index("id")["role"].loc[towers["site"].values]
        file = xr.Dataset({"prediction": values.drop_vars("kind", errors="ignore")})
        file = file.assign(std=xr.ones_like(file["prediction"])).assign_coords(role=("site", role.map(OF_SPLIT).values))
        attrs = {"method": "gbm", "backbone": "none", "fold": fold, "seed": 0}
        made[f"gbm/none/fold{fold}/seed0.nc"] = file.assign_attrs(attrs)
    return made


def test_every_assignment_tests_a_tower_once_and_tables_count_it_once(files, splits, towers):
    joined = ensemble(list(files.values()))
    found = judge({**files, "gbm/none/ensemble.nc": joined}, towers, splits, CONFIG)
    rows = found["site_skill"].query("method == 'gbm' and rows == 'measured' and quality == 0.5 and scale == 'monthly'")
    single = rows[rows["seed"] != "ensemble"]
    per_tower = single.groupby(["site", "flux"])["fold"].agg(lambda folds: sorted(int(k) // 5 for k in folds))
    assert all(assignments == [0, 1] for assignments in per_tower)
    number = rows["site"].nunique()
    skill = found["skill"].query("method == 'gbm' and grouping == 'all' and scale == 'monthly' and fold == 'all'")
    assert (skill["sites"] == number).all() and set(skill["seed"]) == {"all", "ensemble"}
    pooled = (
        found["calibration"].query("grouping == 'all' and part == 'all' and fold == 'all'").set_index(["seed", "flux"])
    )
    assert pooled.loc[("all", "gpp"), "sites"] == number == pooled.loc[("ensemble", "gpp"), "sites"]
    assert pooled.loc[("all", "gpp"), "periods"] == pooled.loc[("ensemble", "gpp"), "periods"]


def test_the_mean_prediction_of_a_tower_is_that_of_the_folds_that_test_it(files, splits):
    joined = ensemble(list(files.values()))
    site = sites_with_role(roles(splits, 3), ("test",))[0]
    testing = [fold for fold in range(10) if site in sites_with_role(roles(splits, fold), ("test",))]
    assert testing == [3, 5]
    expected = np.mean([files[f"gbm/none/fold{fold}/seed0.nc"]["prediction"].sel(site=site) for fold in testing], 0)
    np.testing.assert_allclose(joined["prediction"].sel(site=site), expected)
    assert folds_of_assignment(splits) == 5


def test_an_ensemble_of_some_folds_judges_the_towers_that_these_test(files, splits):
    joined = ensemble([files[f"gbm/none/fold{fold}/seed0.nc"] for fold in (0, 6)])
    expected = {site for fold in (0, 6) for site in sites_with_role(roles(splits, fold), ("test",))}
    found = members_of(judged(joined), splits)
    assert set(sites_with_role(found, ("test",))) == expected
    assert set(judged(joined)["site"].values) == set(sites_with_role(found, PREDICTED))
