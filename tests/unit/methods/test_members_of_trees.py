"""Trees as members of an ensemble: what each leaves out, their mean, and the weights that let towers count alike."""

import lightgbm as lgb
import numpy as np
import pytest
import xarray as xr

from dere.evaluation.predictions import sites_with_role
from dere.intervals.fitting import fitted
from dere.intervals.neighbours import regions_of
from dere.intervals.stated import stated
from dere.methods.tree_features import tree_features
from dere.methods.trees.balance import balanced
from dere.methods.trees.members import fit_members
from dere.methods.trees.search import Rows, Trial, fit, random_settings
from dere.methods.trees.settings import TreesConfig
from dere.training.membership import LEFT_OUT, Membership, not_seen
from dere.training.read_places import label_uncertainty, site_labels
from made_towers import make_towers
from simple_methods import CO2, Run, places_of

MEMBERS = 4


@pytest.fixture(scope="module")
def ensemble():
    return Run(*make_towers(), ensemble=MEMBERS)


def test_labels_that_a_member_left_out_change_no_tree_of_it(ensemble, towers, members):
    """The search sees every tower, so it is held to settings that do not depend on them."""
    site = sites_with_role(members, ("training",))[0]
    cluster = members.set_index("id")["cluster"][site]
    changed = towers.copy(deep=True)
    # the fluxes of one tower mirrored in time: other labels of equal mean and variance
    changed["flux_value"].loc[{"site": site}] = towers["flux_value"].sel(site=site).values[::-1]
    changed["flux_quality"].loc[{"site": site}] = towers["flux_quality"].sel(site=site).values[::-1]
    one = {"settings": {"balance": 0.0}, "ensemble": MEMBERS}
    before, after = (Run(data, members, **one).fitted("gbm") for data in (towers, changed))
    if before.facts["settings"] != after.facts["settings"]:
        pytest.fail("the change moved the search; choose another tower")
    blind = not_seen(before.facts, [cluster])[:, 0]
    assert blind.sum() == 1
    for member, unseen in enumerate(blind):
        names = [f"trees.{flux}.{member}" for flux in CO2.names]
        assert all(np.array_equal(before.arrays[n], after.arrays[n]) == unseen for n in names)


def test_the_prediction_is_the_closed_mean_and_held_out_series_are_of_those_that_left_out(ensemble, towers, members):
    made = ensemble.predict("gbm")
    fitted = ensemble.fitted("gbm")
    places = places_of(towers, members)
    features, _ = tree_features(places, CO2)
    each = []
    for member in range(MEMBERS):
        boosters = (lgb.Booster(model_str=fitted.arrays[f"trees.{f}.{member}"].tobytes().decode()) for f in CO2.names)
        flat = [b.predict(features.reshape(-1, features.shape[-1])).reshape(features.shape[:2]) for b in boosters]
        each.append(flat)
    raw = np.moveaxis(np.array(each), 1, -1)
    gpp = raw[..., CO2.names.index("gpp")]
    if fitted.facts["nee_from"] == "difference":
        expected = xr.DataArray(gpp.mean(0), dims=("site", "time")).values
        inside = places.record
        np.testing.assert_allclose(made["prediction"].sel(flux="gpp").values[inside], expected[inside])
    values = made["prediction"]
    gap = values.sel(flux="reco") - values.sel(flux="gpp") - values.sel(flux="nee")
    assert float(abs(gap).max()) < 1e-14
    trained = set(sites_with_role(members, ("training", "validation")))
    seen = made["held_out_prediction"].notnull().any(("time", "flux"))
    assert set(made["site"].values[seen.values].tolist()) == trained
    member = made["member_prediction"]
    assert member.dtype == np.float32 and member.sizes["member"] == MEMBERS
    cluster = members.set_index("id")["cluster"]
    for site in sorted(trained)[:6]:
        blind = not_seen(fitted.facts, [cluster[site]])[:, 0]
        expected = member.sel(site=site).values[blind].mean(0)
        np.testing.assert_allclose(made["held_out_prediction"].sel(site=site), expected, rtol=1e-5, atol=1e-5)


def test_intervals_come_from_towers_that_members_left_out(ensemble, towers, members):
    """The residuals are those of the file itself: each tower by the members that did not see it."""
    made, arrays = ensemble.predict("gbm"), ensemble.fitted("gbm").arrays
    trained = sites_with_role(members, ("training", "validation"))
    held = made["held_out_prediction"].sel(site=trained).values
    labels = site_labels(towers, trained, 0.5, CO2).flux[towers["site"].isin(trained).values]
    uncertainty = label_uncertainty(towers.sel(site=trained), CO2)
    cluster = members.set_index("id")["cluster"].loc[trained].to_numpy(str)
    distance = made["driver_distance"].sel(site=trained).values if "driver_distance" in made else None
    judged = made["member_prediction"].sel(site=sites_with_role(members, ("test", "predict"))).values.astype(float)
    here = towers.sel(site=trained)
    where = regions_of(here, "site")
    expected = stated(fitted(held, labels, uncertainty, cluster, distance, judged, CO2, where))
    for name, numbers in expected.items():
        np.testing.assert_allclose(made.attrs[name], numbers, rtol=1e-2, atol=1e-5)
    assert not any(name.startswith("intervals.") for name in arrays)


def test_towers_that_trees_were_kept_from_are_unseen_by_all_members(towers, members):
    run = Run(towers, members, settings={"validation_towers": False}, ensemble=3)
    made, facts = run.predict("gbm"), run.fitted("gbm").facts
    validation = set(sites_with_role(members, ("validation",)))
    named = members.set_index("id")["cluster"]
    assert not {named[s] for s in validation} & {name for names in facts[LEFT_OUT] for name in names}
    some = sorted(validation)[0]
    np.testing.assert_allclose(made["held_out_prediction"].sel(site=some), made["prediction"].sel(site=some))


def test_one_member_is_the_chosen_setting_fitted_to_all_rows():
    rng = np.random.default_rng(1)
    x, site = rng.normal(size=(400, 4)).astype("f4"), np.repeat(np.arange(20), 20)
    rows = Rows(x, {"gpp": x[:, 0] + 0.1}, {"gpp": rng.uniform(0.5, 1, 400)}, site, site % 2)
    config = TreesConfig(trees=20)
    best = {"gpp": Trial(random_settings(2, rng)[1], 20, 0.0, 3, np.zeros(0))}
    cluster = np.array([f"c{s}" for s in site])
    dealt = Membership(tuple(sorted(set(cluster.tolist()))), np.ones((1, 20)))
    found = fit_members(rows, cluster, best, dealt, config, 5)
    assert list(found) == ["trees.gpp"]
    plain = fit(rows, "gpp", best["gpp"], config, 5)
    assert found["trees.gpp"].model_to_string() == plain.model_to_string()


@pytest.mark.parametrize("balance", [0.5, 1.0])
def test_balanced_weights_are_the_plain_formula(balance):
    rng = np.random.default_rng(0)
    site = np.repeat([0, 1, 2], [10, 60, 30])
    value = rng.normal(0, [1.0, 3.0, 0.0], (100, 3))[np.arange(100), site]
    quality = np.where(rng.random(100) < 0.2, 0.0, 0.8)
    rows = Rows(np.zeros((100, 1), "f4"), {"gpp": value}, {"gpp": quality}, site, site)
    found = balanced(rows, balance).weight["gpp"]
    good = quality > 0
    expected = np.zeros(100)
    for tower in range(3):
        own = good & (site == tower)
        variance = value[own].var() + 0.25 * value[good].var()
        expected[own] = (variance * own.sum()) ** -balance
    expected[good] /= expected[good].mean()
    np.testing.assert_allclose(found, expected * quality, rtol=1e-5)
    assert np.array_equal(balanced(rows, 0.0).weight["gpp"], quality)
