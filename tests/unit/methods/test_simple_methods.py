"""Methods without a network: what they may read, what they must return."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.channels import SOIL_PROPERTIES
from dere.evaluation.completeness import check_prediction
from dere.evaluation.metrics import score
from dere.evaluation.predictions import judged, sites_with_role
from dere.methods import methods
from dere.methods.climatology.cycles import PRIOR_TOWERS, class_cycles
from dere.methods.tree_features import lagged, running_mean, tree_features
from dere.methods.trees import search as tree_search
from dere.methods.trees.fitting import project, text_of
from dere.methods.trees.settings import TreesConfig
from dere.variables import FLUXES, QUANTILES
from simple_methods import CO2, FEW, Run, places_of

METHODS = [name for name, method in methods().items() if not method.per_backbone]
FITTED = [name for name in METHODS if methods()[name].stages]


def predicted(name, towers, members, **options) -> xr.Dataset:
    return Run(towers, members, **options).predict(name)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_hands_in_a_complete_closing_file_with_its_spread(name, towers, members):
    file = predicted(name, towers, members)
    check_prediction(judged(file), towers, members, name)
    assert file.attrs["method"] == name and file.attrs["backbone"] == "none"
    assert np.isnan(file["prediction"].values[~towers["record"].sel(site=file["site"]).values]).all()
    assert (file["std"].fillna(1) > 0).all() and file["quantile"].values.tolist() == list(QUANTILES)
    assert (file["quantile_value"].diff("quantile") > 0).where(file["std"].notnull(), True).all()


@pytest.mark.parametrize("name", METHODS)
def test_values_of_test_towers_never_influence_a_prediction(name, towers, members):
    spoiled = towers.copy(deep=True)
    inside = spoiled["site"].isin(sites_with_role(members, ("test", "predict")))
    spoiled["flux_value"] = xr.where(inside, 1e6, spoiled["flux_value"]).transpose("site", "time", "flux")
    spoiled["flux_quality"] = xr.where(inside, 1.0, spoiled["flux_quality"]).transpose("site", "time", "flux")
    xr.testing.assert_identical(predicted(name, towers, members), predicted(name, spoiled, members))


@pytest.mark.parametrize("name", ["climatology", "gbm"])
def test_validation_towers_do_train_and_poor_months_do_not(name, towers, members):
    before = predicted(name, towers, members)["prediction"]
    validation = towers["site"].isin(sites_with_role(members, ("validation",)))
    changed = towers.copy(deep=True)
    changed["flux_value"] = changed["flux_value"] + 3.0 * validation
    assert not before.equals(predicted(name, changed, members)["prediction"])
    poor = towers.copy(deep=True)
    poor["flux_value"] = poor["flux_value"].where(poor["flux_quality"] >= 0.5, 1e6)
    xr.testing.assert_equal(before, predicted(name, poor, members)["prediction"])


def test_the_spread_of_climatology_is_of_cycles_that_never_saw_the_validation_towers(towers, members):
    run = Run(towers, members)
    validation = towers["site"].isin(sites_with_role(members, ("validation",)))
    changed = Run(towers.assign(flux_value=towers["flux_value"] + 3.0 * validation), members)
    before, after = run.fitted("climatology"), changed.fitted("climatology")
    for name, values in before.unseen.items():
        np.testing.assert_array_equal(values, after.unseen[name])
    assert len(before.unseen["cycles"]) == len(sites_with_role(members, ("training",)))
    # residuals of 3 more at the validation towers widen the spread
    assert (changed.predict("climatology")["std"] > run.predict("climatology")["std"] + 0.5).any()


def test_trees_may_be_kept_from_validation_towers(towers, members):
    validation = towers["site"].isin(sites_with_role(members, ("validation",)))
    changed = towers.assign(flux_value=towers["flux_value"] + 3.0 * validation)
    own = {"validation_towers": False}
    before, after = (predicted("gbm", data, members, settings=own) for data in (towers, changed))
    xr.testing.assert_identical(before, after)
    assert before.attrs["training_rows"] < predicted("gbm", towers, members).attrs["training_rows"]


@pytest.mark.parametrize("name", FITTED)
def test_training_rows_without_a_good_month_are_a_sentence(name, towers, members):
    with pytest.raises(ValueError, match=r"no month of quality >= 0\.9 at the 16 training and validation towers"):
        Run(towers.assign(flux_quality=0 * towers["flux_quality"]), members, quality=0.9).fit(name)


def test_climatology_shifts_the_south_by_half_a_year(make_towers):
    towers, members = make_towers(predict=2)
    towers["lat"] = ("site", np.where(np.arange(22) == 21, -40.0, 50.0))
    # A northern summer peak at every training tower; two predict sites of one class, one in the south.
    season = -np.cos(2 * np.pi * (np.arange(72) % 12) / 12)
    flux = np.stack([3 + 2 * season, 2 + season, -1 - season], -1)
    towers["flux_value"] = (("site", "time", "flux"), np.broadcast_to(flux, (22, 72, 3)).copy())
    towers["flux_quality"] = xr.ones_like(towers["flux_quality"])
    towers["igbp"] = ("site", ["ENF"] * 22)
    file = predicted("climatology", towers, members)["prediction"]
    north, south = (file.sel(site=s, flux="gpp").values[:12] for s in ("V000", "V001"))
    assert north.argmax() == 6 and south.argmax() == 0
    np.testing.assert_allclose(np.roll(north, 6), south)


def test_class_cycles_shrink_and_fall_back():
    cycles = np.zeros((7, 12, 3))
    cycles[:3] = 4.0
    lookup = class_cycles(cycles, ["ENF"] * 3 + ["GRA"] * 4, ["polar"] * 3 + ["arid"] * 4)
    overall = 12 / 7
    of_class = (12 + PRIOR_TOWERS * overall) / (3 + PRIOR_TOWERS)
    assert lookup("EBF", "tropical") == pytest.approx(np.full((12, 3), overall))
    assert lookup("ENF", "tropical") == pytest.approx(np.full((12, 3), of_class))
    assert lookup("ENF", "polar") == pytest.approx(
        np.full((12, 3), (12 + PRIOR_TOWERS * of_class) / (3 + PRIOR_TOWERS))
    )


def test_lags_and_running_means():
    series = np.arange(24.0)[None]
    np.testing.assert_array_equal(lagged(series, 2)[0, 2:], series[0, :-2])
    np.testing.assert_array_equal(lagged(series, 2)[0, :2], [10, 11])  # the same calendar months stand in
    np.testing.assert_allclose(running_mean(series, 3)[0, 2:], series[0, 1:-1])
    gap = series.copy()
    gap[0, 20] = np.nan
    assert running_mean(gap, 3)[0, 20] == pytest.approx(18.5) and not np.isnan(running_mean(gap, 3)).any()


def test_features_are_complete_named_and_free_of_labels(towers, members):
    array, names = tree_features(places_of(towers, members), CO2, simulated=True)
    assert array.shape[2] == len(names) == len(set(names)) and not np.isnan(array[..., : 8 * 6]).any()
    assert {
        "air_temperature_lag3",
        "vpd_mean12",
        "month_sin",
        "mean_age",
        "fraction_NL_of_year",
        "simulated_nee",
    } <= set(names)
    unlabelled = towers.drop_vars(["flux_value", "flux_quality", "flux_daytime"])
    without, _ = tree_features(places_of(unlabelled, members), CO2, simulated=True)
    np.testing.assert_array_equal(array, without)
    # site 1 lies in the south: its season is opposite to that of site 0
    cosine = array[..., names.index("month_cos")]
    np.testing.assert_allclose(cosine[0], -cosine[1], atol=1e-6)


def test_a_satellite_that_saw_nothing_is_missing_to_trees_and_a_missing_driver_is_refused(towers, members):
    seen = np.arange(towers.sizes["time"]) % 3 == 0
    for name in ("lai_satellite", "evi_satellite"):
        towers[name] = xr.full_like(towers["vpd"], 2.5)
        towers[f"{name}_mask"] = xr.zeros_like(towers["vpd"], dtype=np.int8) + seen
    array, names = tree_features(places_of(towers, members, satellites=True), CO2)
    lai = array[..., names.index("lai_satellite")]
    assert (lai[:, seen] == 2.5).all() and np.isnan(lai[:, ~seen]).all()
    towers["vpd"][3, 5] = np.nan
    with pytest.raises(ValueError, match="driver vpd of site T003 is NaN"):
        places_of(towers, members)


def test_diurnal_cycles_enter_as_mean_and_range(towers, members):
    hourly = towers["air_temperature"].expand_dims(hour=24).transpose("site", "time", "hour") + xr.DataArray(
        np.arange(24.0), dims="hour"
    )
    parts = {
        "soil_temperature": hourly.isel(hour=slice(6)).rename(hour="layer"),
        "co2_hourly": hourly,
        "disturbance_rate": towers["wind"],
        **{f"{n}_hourly": hourly for n in ("specific_humidity", "air_temperature", "shortwave", "wind")},
        "soil": (("site", "soil_property"), np.ones((towers.sizes["site"], len(SOIL_PROPERTIES)))),
        "soil_property": list(SOIL_PROPERTIES),
    }
    data = towers.drop_vars(["vpd", "wind", "shortwave", "longwave", "pressure", "co2"]).assign(parts)
    data.attrs["driver_set"] = "carbonglobe136"
    array, names = tree_features(places_of(data, members), CO2)
    assert array[0, 0, names.index("air_temperature_hourly_range")] == pytest.approx(23, abs=1e-4)
    assert "air_temperature_hourly_mean_lag1" in names
    turned, _ = tree_features(places_of(data.transpose("hour", "layer", "time", ...), members), CO2)
    np.testing.assert_array_equal(turned, array)


def test_trees_are_deterministic_and_the_seed_is_used(towers, members):
    first, again, other = (predicted("gbm", towers, members, seed=s)["prediction"] for s in (0, 0, 1))
    xr.testing.assert_identical(first, again)
    assert not first.equals(other)


def test_trees_of_two_threads_are_those_of_one_to_the_byte():
    rng = np.random.default_rng(0)
    x, y, ones = rng.normal(size=(3000, 9)).astype("float32"), rng.normal(size=3000), np.zeros(3000, int)
    rows = tree_search.Rows(x, {"gpp": y}, {"gpp": rng.uniform(0.5, 1, 3000)}, ones, ones)
    plain = {"learning_rate": 0.1, "num_leaves": 15, "min_data_in_leaf": 5, "feature_fraction": 0.7}
    trial = tree_search.Trial(
        {**plain, "bagging_fraction": 0.7, "lambda_l2": 0.1, "extra_trees": 0.0}, 20, 0.0, 1, ones
    )
    made = [tree_search.fit(rows, "gpp", trial, TreesConfig(**FEW, threads=threads), 0) for threads in (1, 2)]
    assert made[0].model_to_string() != made[1].model_to_string(), "LightGBM writes down its threads"
    assert text_of(made[0]) == text_of(made[1])


def test_trees_learn_and_the_simulation_helps(towers, members, truth):
    own = {"settings": 3, "inner_folds": 3, "trees": 50}
    found = {
        s: predicted(m, towers, members, settings=own)["prediction"] for s, m in ((False, "gbm"), (True, "gbm_sim"))
    }
    sites = sites_with_role(members, ("predict",))
    median = {
        s: np.median(score("nse", truth["flux_value"].sel(flux="gpp").values, p.sel(site=sites, flux="gpp").values))
        for s, p in found.items()
    }
    assert median[False] > 0.6 and median[True] > median[False]


def test_the_settings_table_and_attributes_name_the_choice(towers, members):
    run = Run(towers, members, settings={"settings": 5})
    file, table = run.predict("gbm"), run.fitted("gbm").history
    chosen = json.loads(file.attrs["settings"])
    assert set(chosen) == set(FLUXES) and file.attrs["nee_from"] in ("difference", "direct")
    for flux in FLUXES:
        part = table[table["flux"] == flux]
        assert len(part) == 5 and part["chosen"].sum() == 1
        row = part[part["chosen"] == True].iloc[0]  # noqa: E712
        assert row["num_leaves"] == chosen[flux]["num_leaves"] and row["trees"] == chosen[flux]["trees"]
    assert set(table["flux"]) == {*FLUXES, "nee difference", "nee direct"}


def test_projection_closes_and_moves_the_uncertain_flux_most():
    values = {"gpp": np.array([5.0]), "reco": np.array([4.0]), "nee": np.array([0.0])}
    closed = project(values, {"gpp": 1.0, "reco": 0.5, "nee": 0.5})
    assert closed["reco"] - closed["gpp"] - closed["nee"] == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose([closed[f][0] for f in FLUXES], [4.5, 4.25, -0.25])
    exact = project(values, {"gpp": 1.0, "reco": 1.0, "nee": 0.0})
    assert exact["nee"][0] == pytest.approx(0.0)


def test_inner_folds_keep_clusters_together_and_balance_rows():
    rng = np.random.default_rng(0)
    cluster = np.repeat([f"c{i}" for i in range(12)], rng.integers(5, 40, 12))
    fold = tree_search.inner_folds(cluster, 3, rng)
    assert (pd.DataFrame({"c": cluster, "f": fold}).groupby("c")["f"].nunique() == 1).all()
    sizes = np.bincount(fold)
    assert len(sizes) == 3 and sizes.max() - sizes.min() <= 40
    with pytest.raises(ValueError, match=r"form 2 clusters, but trees\.inner_folds is 3"):
        tree_search.inner_folds(np.array(["a", "b"]), 3, rng)


def test_tower_score_counts_towers_not_months():
    target, site = np.zeros(30), np.repeat([0, 1], [25, 5])
    predicted = np.where(site == 0, 1.0, 4.0)
    assert tree_search.tower_score(target, predicted, np.ones(30), site) == pytest.approx(np.log(2.0))


def test_doubling_a_quality_weight_equals_a_duplicated_row():
    rng = np.random.default_rng(0)
    # Few distinct values, because bins are made by counts and would differ otherwise.
    x, y = rng.integers(0, 6, (300, 3)).astype("float32"), rng.normal(size=300)
    twice = np.r_[np.arange(300), np.arange(90)]
    ones = np.zeros(390, int)
    plain = {"learning_rate": 0.1, "num_leaves": 4, "min_data_in_leaf": 1, "feature_fraction": 1.0}
    setting = {**plain, "bagging_fraction": 1.0, "lambda_l2": 0.1, "extra_trees": 0.0}
    trial = tree_search.Trial(setting, 20, 0.0, 1, np.zeros(0))

    def fitted(rows: np.ndarray, weight: np.ndarray) -> np.ndarray:
        data = tree_search.Rows(x[rows], {"gpp": y[rows]}, {"gpp": weight}, ones[: len(rows)], ones[: len(rows)])
        return np.asarray(tree_search.fit(data, "gpp", trial, TreesConfig(**FEW), 0).predict(x))

    weighted = fitted(np.arange(300), np.where(np.arange(300) < 90, 2.0, 1.0))
    np.testing.assert_allclose(weighted, fitted(twice, np.ones(390)), atol=1e-6)
    assert np.abs(weighted - fitted(np.arange(300), np.ones(300))).max() > 1e-3
