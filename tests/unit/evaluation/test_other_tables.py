"""Closure, calibration, cost, ensemble, totals, and the judge as a whole."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.stats import norm

from dere.config.evaluation import EvaluationConfig
from dere.evaluation.calibration import calibration
from dere.evaluation.closure import closure_table
from dere.evaluation.completeness import check_prediction
from dere.evaluation.cost import COLUMNS, MEASURED, cost_table
from dere.evaluation.ensemble import ensemble
from dere.evaluation.judge import judge, members_of
from dere.evaluation.predictions import judged, sites_with_role
from dere.evaluation.schemas import checked
from dere.evaluation.totals import true_totals
from dere.evaluation.tower_coverage import tower_coverage
from dere.harmonise.site_roles import OF_SPLIT
from dere.harmonise.splits import roles
from dere.training.roles import PREDICTED

LEVELS = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
CONFIG = EvaluationConfig(bootstrap=50, minimum_years=3)


def with_quantiles(file: xr.Dataset, spread: float) -> xr.Dataset:
    values = file["prediction"].values[..., None] + spread * norm.ppf(LEVELS)
    file = file.assign(std=xr.full_like(file["prediction"], spread))
    return file.assign(quantile_value=((*file["prediction"].dims, "quantile"), values)).assign_coords(quantile=LEVELS)


def test_closure_of_predictions_and_products(prediction):
    broken = prediction.copy(deep=True)
    broken["prediction"][0, 0, 2] += 0.25
    axes = {"time": [0], "lat": [0], "lon": [0, 1]}
    fields = {"gpp": [2.0, np.nan], "reco": [1.0, np.nan], "nee": [-1.5, np.nan]}
    product = {
        flux: xr.Dataset({flux: (("time", "lat", "lon"), np.array(v)[None, None] / 8.64e7)}, coords=axes)
        for flux, v in fields.items()
    }
    table = checked(closure_table({"good": prediction, "broken": broken}, {"dere": product}), "closure").set_index(
        "file"
    )
    assert table.loc["good", "maximum_residual"] < 1e-12
    assert table.loc["broken", "maximum_residual"] == pytest.approx(0.25)
    assert table.loc["broken", "mean_residual"] == pytest.approx(0.25 / table.loc["broken", "values"])
    assert table.loc["dere", "kind"] == "product" and table.loc["dere", "values"] == 1
    assert table.loc["dere", "mean_residual"] == pytest.approx(0.5)


def test_calibration_of_an_honest_and_of_a_boastful_forecast(noisy, towers, members, truth):
    file = noisy(1.0)
    honest = checked(
        calibration(tower_coverage(with_quantiles(file, 1.0), towers, members, CONFIG, truth)), "calibration"
    )
    boastful = calibration(tower_coverage(with_quantiles(file, 0.3), towers, members, CONFIG, truth))
    for table, check in ((honest, True), (boastful, False)):
        row = table.query("grouping == 'virtual' and flux == 'reco' and part == 'all'").iloc[0]
        near = [
            abs(row["coverage_90"] - 0.9) < 0.05,
            abs(row["coverage_50"] - 0.5) < 0.07,
            abs(row["spread_error"] - 1) < 0.1,
        ]
        assert near == [check] * 3
    assert honest["crps"].sum() < boastful["crps"].sum()
    assert set(honest["grouping"]) == {"all", "virtual"}
    row = honest.query("grouping == 'virtual' and flux == 'reco' and part == 'all'").iloc[0]
    assert (
        row["width_90"] == pytest.approx(2 * norm.ppf(0.95))
        and row["coverage_90_tower_q25"] <= row["coverage_90"] + 0.02
    )


def test_calibration_pools_files_and_skips_those_without_intervals(noisy, towers, members):
    assert calibration(tower_coverage(noisy(1.0), towers, members, CONFIG)).empty
    files = [with_quantiles(noisy(1.0, seed=s), 1.0) for s in range(2)]
    table = calibration(pd.concat([tower_coverage(f, towers, members, CONFIG) for f in files], ignore_index=True))
    rows = table.query("flux == 'nee' and grouping == 'all' and part == 'all'").set_index("seed")["coverage_90"]
    assert rows["all"] == pytest.approx((rows["0"] + rows["1"]) / 2)


def test_missing_quantile_levels_are_a_sentence(noisy, towers, members):
    file = with_quantiles(noisy(1.0), 1.0).isel(quantile=[0, 2, 4])
    with pytest.raises(ValueError, match=r"levels \[0.05, 0.5, 0.95\], but 0.25 is needed"):
        tower_coverage(file, towers, members, CONFIG)


def test_cost_is_what_the_jobs_measured_the_dearest_first():
    made = {"predict_gbm/none/fold0/seed0": [2.0, 1.0, 100.0], "train_pure/lstm/fold0/seed0": [10.0, 9.5, 300.0]}
    files = {name: pd.DataFrame([row], columns=list(MEASURED)) for name, row in made.items()}
    table = checked(cost_table(files), "cost")
    assert list(table.columns) == list(COLUMNS)
    assert [tuple(row) for row in table.to_numpy()] == [
        ("train_pure", "lstm/fold0/seed0", 10.0, 300.0, 9.5),
        ("predict_gbm", "none/fold0/seed0", 2.0, 100.0, 1.0),
    ]
    assert cost_table({}).empty
    one = files["predict_gbm/none/fold0/seed0"]
    for wrong in (one.drop(columns="seconds"), one[:0], one.assign(cpu_seconds=np.nan), pd.concat([one, one])):
        with pytest.raises(
            ValueError, match=r"x: what the job cost has the columns .* but one row of numbers seconds, cpu_sec"
        ):
            cost_table({"x": wrong})


def test_ensemble_joins_folds_and_averages_seeds(noisy, towers, members):
    files = [noisy(1.0, seed=s) for s in range(3)]
    other = noisy(1.0, seed=7, fold=1)
    sites = other["site"].values.astype(object)
    sites[:4] = members.loc[members["fold"] == 1, "id"].values
    files.append(other.assign_coords(site=sites.astype(str)))
    found = ensemble(files)
    np.testing.assert_allclose(
        found["prediction"].sel(site="T000"), np.mean([f["prediction"].sel(site="T000") for f in files[:3]], axis=0)
    )
    assert int(found["members"].sel(site="V000")) == 4 and int(found["fold"].sel(site="V000")) == -1
    assert int(found["fold"].sel(site="T000")) == 0 and int(found["fold"].sel(site="T002")) == 1
    assert "std" not in found  # T002 has one member without a spread of its own
    spread = np.std([f["prediction"].sel(site="V001") for f in files[:3]], axis=0, ddof=1)
    np.testing.assert_allclose(ensemble(files[:3])["std"].sel(site="V001"), spread, rtol=1e-6)
    as_test = members_of(found, members.drop(columns="role"))
    assert set(as_test.loc[as_test["role"] == "test", "fold"]) == {0, 1}


def with_seen(file: xr.Dataset, towers: xr.Dataset, members: pd.DataFrame, value: float = 1e6) -> xr.Dataset:
    """The file with every site of the towers, as the rules write it; at those seen in training only nonsense."""
    sites = members[members["kind"] == "site"].set_index("id")["role"].reindex(towers["site"].values.astype(str))
    whole = file.reindex(site=towers["site"].values.astype(str), fill_value=value)
    return whole.assign_coords(role=("site", sites.map(OF_SPLIT).to_numpy(str)))


def test_an_ensemble_takes_a_site_from_the_models_that_have_not_seen_it(noisy, towers, members):
    """T002 is tested by fold 1 and seen by fold 0; T001 is in a fold that is not run."""
    splits = members.drop(columns="role")
    of_fold = {fold: roles(splits, fold) for fold in (0, 1)}
    bare = noisy(1.0)
    files = []
    for fold, known in of_fold.items():
        own = bare.assign_coords(site=sites_with_role(known, PREDICTED)).assign_attrs(fold=fold)
        files.append(with_seen(own, towers, known, value=100.0 + fold))
    found = ensemble(files)
    assert found["site"].values.tolist() == sorted(towers["site"].values)
    tested, never = (str(members.loc[members["fold"] == fold, "id"].iloc[0]) for fold in (1, 3))
    np.testing.assert_array_equal(found["prediction"].sel(site=tested), files[1]["prediction"].sel(site=tested))
    assert (found["prediction"].sel(site=never) == 100.5).all()
    told = {site: str(found["role"].sel(site=site).values) for site in (tested, never, "V000")}
    assert told == {tested: "cross_validated", never: "seen_in_training", "V000": "unseen"}
    assert (int(found["members"].sel(site=tested)), int(found["members"].sel(site=never))) == (1, 2)
    as_test = members_of(judged(found), splits)
    assert set(as_test.loc[as_test["role"] == "test", "fold"]) == {0, 1}


def test_nonsense_where_a_model_has_seen_the_labels_changes_no_table(noisy, towers, members):
    """Neither skill, nor calibration, nor closure, nor pairs; also in the ensemble."""
    splits = members.drop(columns="role")
    plain = {f"{method}/seed0.nc": with_quantiles(noisy(z, method), z) for method, z in (("gbm", 1.5), ("dere", 0.5))}
    whole = {name: with_seen(file, towers, members) for name, file in plain.items()}
    for files in (plain, whole):
        files["gbm/ensemble.nc"] = ensemble([files["gbm/seed0.nc"]])
    assert whole["gbm/ensemble.nc"].sizes["site"] == towers.sizes["site"] > plain["gbm/ensemble.nc"].sizes["site"]
    expected, found = (judge(files, towers, splits, CONFIG) for files in (plain, whole))
    for name, table in expected.items():
        # these files state no error model, which own months need (test_months_known.py)
        assert len(table) or name == "site_calibration"
        pd.testing.assert_frame_equal(found[name], table, check_exact=True)


@pytest.mark.parametrize(
    ("role", "sentence"), [("unseen", "16 sites are too many"), ("seen_in_training", "are missing")]
)
def test_a_file_that_lies_about_what_it_has_seen_is_refused(noisy, towers, members, role, sentence):
    lying = with_seen(noisy(1.0), towers, members, value=0.0)
    lying["role"][:] = role
    with pytest.raises(ValueError, match=sentence):
        judge({"mine.nc": lying}, towers, members.drop(columns="role"), CONFIG)


def test_ensemble_spread_is_the_law_of_total_variance(noisy):
    files = [with_quantiles(noisy(1.0, seed=s), 2.0) for s in range(2)]
    found = ensemble(files)
    between = np.var([f["prediction"] for f in files], axis=0, ddof=1)
    np.testing.assert_allclose(found["std"], np.sqrt(4 + between))
    np.testing.assert_allclose(found["quantile_value"], (files[0]["quantile_value"] + files[1]["quantile_value"]) / 2)


def test_a_file_that_knows_no_site_better_than_others_gives_nothing(noisy):
    """A few sites of a cross-validation may all be tested by some of the folds only."""
    one = noisy(1.0).isel(site=[0])
    tested, seen = (
        one.assign_coords(role=("site", [role])).assign_attrs(fold=fold)
        for fold, role in enumerate(("cross_validated", "seen_in_training"))
    )
    found = ensemble([seen, tested])
    np.testing.assert_array_equal(found["prediction"], tested["prediction"])
    assert found["members"].values.tolist() == [1] and found["role"].values.tolist() == ["cross_validated"]


def test_an_ensemble_closes_and_unequal_files_are_refused(noisy, towers, members):
    found = ensemble([noisy(1.0, seed=s) for s in range(4)])
    check_prediction(found, towers, members, "ensemble")
    with pytest.raises(ValueError, match="of one method"):
        ensemble([noisy(1.0), noisy(1.0, method="other")])
    with pytest.raises(ValueError, match="1 of 2 files of an ensemble have quantiles"):
        ensemble([noisy(1.0), with_quantiles(noisy(1.0), 1.0)])
    with pytest.raises(ValueError, match="at least one prediction file"):
        ensemble([])


def test_the_total_of_a_constant_field_is_area_times_flux_times_time():
    time = pd.date_range("2003-01-01", periods=30, freq="MS") + pd.Timedelta(days=14)
    flux = np.broadcast_to(np.array([2.0, 1.5, -0.5]), (2, 30, 3))
    truth = xr.Dataset(
        {"cell_flux": (("cell", "time", "flux"), flux), "vegetated_fraction": ("cell", [0.5, 1.0])},
        coords={"cell": [3, 5], "time": time, "flux": ["gpp", "reco", "nee"]},
    )
    drivers = xr.Dataset(
        {}, coords={"cell": [3, 5], "cell_area": ("cell", [1e12, 3e12]), "land_fraction": ("cell", [1.0, 0.5])}
    )
    table = checked(true_totals(truth, drivers), "totals")
    assert set(table["year"]) == {2003, 2004}  # half a year is no year
    total = table.set_index(["flux", "year"])["total_pgc"]
    assert total["gpp", 2003] == pytest.approx(2.0 * (0.5e12 + 1.5e12) * 365 * 1e-15)
    assert total["gpp", 2004] / total["gpp", 2003] == pytest.approx(366 / 365)
    assert total["reco", 2003] - total["gpp", 2003] == pytest.approx(total["nee", 2003])


def test_the_judge_makes_all_tables_and_ranks_by_noise(noisy, towers, members, truth):
    splits = members.drop(columns="role")
    files = {f"{m}/fold0/seed{s}.nc": noisy(size, m, s) for m, size in (("gbm", 1.5), ("dere", 0.5)) for s in range(2)}
    files["dere/fold0/seed0.nc"] = with_quantiles(files["dere/fold0/seed0.nc"], 0.5)
    files["gbm/ensemble.nc"] = ensemble([files["gbm/fold0/seed0.nc"], files["gbm/fold0/seed1.nc"]])
    tables = judge(files, towers, splits, CONFIG, truth=truth)
    assert set(tables) == {"site_skill", "skill", "paired", "calibration", "site_calibration", "closure"}
    median = (
        tables["skill"]
        .query(
            "fold == 'all' and seed == 'all' and grouping == 'virtual' and statistic == 'median' and scale == 'monthly'"
        )
        .pivot_table(index="flux", columns="method", values="nse")
    )
    assert (median["dere"] > median["gbm"]).all()
    assert "ensemble" in set(tables["skill"]["seed"]) and "ensemble" not in set(tables["paired"].get("seed", []))
    assert (tables["paired"].query("scale == 'monthly'")["rmse_ratio"] < 1).all()
    assert len(tables["closure"]) == 5 and set(tables["calibration"].dropna(subset="width_50")["method"]) == {"dere"}
    files["gbm/fold0/seed0.nc"] = files["gbm/fold0/seed0.nc"].isel(site=slice(1, None))
    with pytest.raises(ValueError, match=r"gbm/fold0/seed0.nc: 1 of 8 expected sites are missing"):
        judge(files, towers, splits, CONFIG, truth=truth)
