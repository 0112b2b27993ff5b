"""Per tower first, then over towers; every grouping; incomplete towers stay out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sklearn.metrics import r2_score

from dere.config.evaluation import EvaluationConfig
from dere.evaluation.predictions import sites_with_role
from dere.evaluation.schemas import checked
from dere.evaluation.site_scores import map_skill, site_skill
from dere.evaluation.tables import COLUMNS, average_runs, skill
from dere.training.roles import PREDICTED

CONFIG = EvaluationConfig(minimum_years=3)


@pytest.fixture
def scores(noisy, towers, members, truth) -> pd.DataFrame:
    return site_skill(noisy(0.8), towers, members, CONFIG, truth)


def test_one_tower_against_a_plain_computation(scores, noisy, towers):
    site = "T010"
    good = (towers["flux_quality"] >= 0.5) & towers["flux_value"].notnull()
    months = good.sel(site=site, flux="reco").values
    o = towers["flux_value"].sel(site=site, flux="reco").values[months]
    p = noisy(0.8)["prediction"].sel(site=site, flux="reco").values[months]
    row = scores.query(
        "site == @site and flux == 'reco' and scale == 'monthly' and rows == 'measured' and quality == 0.5"
    )
    assert len(row) == 1
    row = row.iloc[0]
    assert row["nse"] == pytest.approx(r2_score(o, p))
    assert row["bias"] == pytest.approx((p - o).mean())
    assert row["months"] == months.sum() and row["igbp"] == "GRA" and row["cluster"] == "site T010"


def test_only_test_and_virtual_sites_are_scored_and_low_quality_is_left_out(scores, towers, members):
    assert set(scores.loc[scores["rows"] == "measured", "site"]) == set(sites_with_role(members, ("test",)))
    assert set(scores.loc[scores["rows"] == "virtual", "site"]) == set(sites_with_role(members, ("predict",)))
    monthly = scores[(scores["scale"] == "monthly") & (scores["flux"] == "gpp") & (scores["rows"] == "measured")]
    for quality, part in monthly.groupby("quality"):
        good = ((towers["flux_quality"] >= quality) & towers["flux_value"].notnull()).sum("time")
        np.testing.assert_array_equal(part["months"], good.sel(site=part["site"].values, flux="gpp"))


def test_gap_filled_months_do_not_count(noisy, towers, members):
    """Values below the quality threshold may be anything: no score changes."""
    changed = towers.copy(deep=True)
    changed["flux_value"] = changed["flux_value"].where(changed["flux_quality"] >= 0.5, 1e3)
    before, after = (site_skill(noisy(0.5), t, members, CONFIG) for t in (towers, changed))
    pd.testing.assert_frame_equal(before, after)


def test_daytime_and_cold_rows(scores, noisy, towers):
    cold = scores[scores["rows"] == "cold"]
    assert set(cold["scale"]) == {"monthly"}
    row = cold[cold["flux"] == "gpp"].iloc[0]
    here = towers.sel(site=row["site"], flux="gpp")
    months = ((here["flux_quality"] >= 0.5) & here["flux_value"].notnull() & (here["air_temperature"] < 0)).values
    p = noisy(0.8)["prediction"].sel(site=row["site"], flux="gpp").values[months]
    assert (
        row["bias"] == pytest.approx((p - here["flux_value"].values[months]).mean()) and row["months"] == months.sum()
    )
    daytime, night = (scores[(scores["rows"] == r) & (scores["scale"] == "site_mean")] for r in ("daytime", "measured"))
    night = night[night["quality"] == 0.5].set_index(["site", "flux"])["observed_mean"]
    np.testing.assert_allclose(daytime.set_index(["site", "flux"])["observed_mean"], 1.05 * night)


def test_skill_is_the_quantile_over_towers(scores):
    table = skill(scores)
    assert list(table.columns) == list(COLUMNS)
    per_site = scores.query("rows == 'measured' and quality == 0.5 and scale == 'anomaly' and flux == 'nee'")
    rows = table.query("grouping == 'all' and scale == 'anomaly' and flux == 'nee' and fold == 'all'").set_index(
        "statistic"
    )
    assert rows.loc["median", "nse"] == pytest.approx(per_site["nse"].median())
    assert rows.loc["q90", "rmse"] == pytest.approx(per_site["rmse"].quantile(0.9))
    assert rows.loc["q25", "sites"] == len(per_site)
    assert set(table["grouping"]) == {"all", "igbp", "koppen", "quality", "daytime", "cold", "virtual"}
    assert set(table.loc[table["grouping"] == "koppen", "group"]) <= {"continental", "temperate", "arid", "unknown"}
    assert set(table.loc[table["grouping"] == "quality", "group"]) == {"0.8"}


def test_site_means_are_scored_across_towers(scores):
    row = (
        skill(scores)
        .query("statistic == 'across' and grouping == 'virtual' and flux == 'gpp' and fold == 'all'")
        .iloc[0]
    )
    means = scores.query("rows == 'virtual' and scale == 'site_mean' and flux == 'gpp'")
    observed = means["observed_mean"]
    assert row["nse"] == pytest.approx(r2_score(observed, observed + means["bias"]))


def test_doubling_a_towers_months_does_not_change_medians(make_towers):
    config = EvaluationConfig(minimum_years=3)
    towers, members = make_towers(predict=0)
    towers["record"] = towers["record"] | True
    years = xr.concat([towers, towers], "time", data_vars="minimal", coords="minimal")
    years = years.assign_coords(time=pd.date_range("2001-01-01", periods=144, freq="MS"))
    # Only one tower has the doubled record; the others keep theirs.
    doubled = "T000"
    later = np.arange(144) >= 72
    years["flux_value"] = years["flux_value"].where((years["site"] == doubled) | ~xr.DataArray(later, dims="time"))
    tables = []
    for data in (towers, years):
        sites = sites_with_role(members, PREDICTED)
        values = data["true_flux"].sel(site=sites) * 1.1 + xr.DataArray([0.3, 0.5, 0.2], dims="flux")
        file = xr.Dataset({"prediction": values.reset_coords(drop=True)})
        file.attrs = {"method": "m", "backbone": "none", "fold": 0, "seed": 0}
        tables.append(
            skill(site_skill(file, data, members, config)).query("statistic == 'median' and grouping == 'all'")
        )
    for scale in ("monthly", "seasonal_cycle", "anomaly", "site_mean"):
        a, b = (t[t["scale"] == scale].sort_values(["flux", "fold"]) for t in tables)
        for score in ("rmse", "nse", "bias", "r2"):
            np.testing.assert_allclose(a[score], b[score], rtol=1e-9, atol=1e-12, err_msg=f"{scale} {score}")
        assert b["months"].sum() > a["months"].sum()


def test_runs_are_pooled_per_tower(noisy, towers, members, truth):
    files = [noisy(0.8, seed=s) for s in range(3)]
    scores = pd.concat([site_skill(f, towers, members, CONFIG, truth) for f in files])
    table = skill(scores).query(
        "grouping == 'virtual' and statistic == 'median' and scale == 'monthly' and flux == 'nee'"
    )
    assert set(zip(table["fold"], table["seed"], strict=True)) >= {("0", "0"), ("all", "2"), ("all", "all")}
    per_site = scores.query("rows == 'virtual' and scale == 'monthly' and flux == 'nee'").groupby("site")["nse"].mean()
    pooled = table[(table["fold"] == "all") & (table["seed"] == "all")].iloc[0]
    assert pooled["nse"] == pytest.approx(per_site.median()) and pooled["sites"] == 4


def test_average_runs_keeps_the_thresholds_apart(scores):
    averaged = average_runs(scores, ["seed"])
    assert len(averaged) == len(scores) and set(averaged["seed"]) == {"all"}


def test_towers_with_too_few_months_have_no_row(noisy, towers, members):
    few = towers.copy(deep=True)
    few["flux_value"][few["site"].values.tolist().index("T000"), 11:] = np.nan
    assert "T000" not in set(site_skill(noisy(0.5), few, members, CONFIG).query("rows == 'measured'")["site"])


def test_map_rows_compare_both_sides_per_land_area():
    time = pd.date_range("2001-01-01", periods=24, freq="MS")
    rng = np.random.default_rng(0)
    flux = rng.normal(3, 1, (3, 24, 3))
    fluxes = ["gpp", "reco", "nee"]
    share = np.array([0.5, 1.0, 0.0])
    truth = xr.Dataset(
        {"cell_flux": (("cell", "time", "flux"), flux), "vegetated_fraction": ("cell", share)},
        coords={"cell": [4, 7, 9], "time": time + pd.Timedelta(days=14), "flux": fluxes},
    )
    cells = xr.Dataset(coords={"cell": [4, 7, 9], "lat": ("cell", [3.0, -3.0, 3.0]), "lon": ("cell", [3.0, 9.0, 9.0])})
    products = {}
    for i, name in enumerate(fluxes):
        field = np.full((24, 2, 2), np.nan)
        field[:, 1, 0] = (0.5 * flux[0, :, i] + 0.2) / 86400 / 1000
        field[:, 0, 1] = flux[1, :, i] / 86400 / 1000
        axes = {"time": time + pd.Timedelta(days=15), "lat": [-3.0, 3.0], "lon": [3.0, 9.0]}
        products[name] = xr.Dataset({name: (("time", "lat", "lon"), field)}, coords=axes)
    found = map_skill(products, truth, cells, CONFIG, method="dere", backbone="transformer")
    monthly = found[(found["scale"] == "monthly") & (found["flux"] == "nee")].set_index("site")
    assert list(monthly.index) == ["4", "7"]  # the cell without vegetation is not scored
    assert monthly.loc["4", "bias"] == pytest.approx(0.2) and monthly.loc["7", "rmse"] == pytest.approx(0, abs=1e-9)
    assert set(skill(found)["grouping"]) == {"map"}
    products["gpp"]["gpp"][:, 1, 0] = np.nan
    with pytest.raises(ValueError, match=r"empty in 1 of 2 cells of the truth \(first: cell 4\)"):
        map_skill(products, truth, cells, CONFIG, method="dere", backbone="transformer")


def test_tables_keep_their_schemas(scores):
    checked(scores, "site_skill")
    checked(skill(scores), "skill")
    with pytest.raises(ValueError, match=r"site_skill.csv would hold \d+ rows twice"):
        checked(pd.concat([scores, scores]), "site_skill")
    with pytest.raises(ValueError, match=r"site_skill.csv would break its schema .*nse"):
        checked(scores.assign(nse=1.5), "site_skill")
