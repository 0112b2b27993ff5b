"""Coverage of intervals at test towers, from a made-up run whose errors follow a known error model."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import interval_coverage

from dere.exchange.co2 import EXCHANGE
from dere.variables import QUANTILES
from invented_errors import KNOWN, labels_around, predictions

SITES = [f"S{i:03d}" for i in range(160)]
MONTHS = 60
TESTED = np.arange(160) % 4 == 0


@pytest.fixture(scope="module")
def made():
    """A prediction file, towers and roles; every fourth tower tests."""
    predicted = predictions(160, MONTHS)
    labels = labels_around(predicted, 3)
    labels[4, 7] = np.nan
    dims, flux = ("site", "time", "flux"), list(EXCHANGE.names)
    coords = {"site": SITES, "time": pd.date_range("2001-01-01", periods=MONTHS, freq="MS"), "flux": flux}
    rng = np.random.default_rng(0)
    towers = xr.Dataset(
        {
            "flux_value": (dims, labels),
            "flux_quality": (dims, np.ones_like(labels)),
            "flux_uncertainty": (dims, np.full(labels.shape, 0.05)),
            "static": (("site", "attribute"), rng.normal(size=(160, 4))),
            "record": (dims[:2], np.ones((160, MONTHS), bool)),
        },
        coords,
    )
    # errors of months drawn as if they were independent
    std = KNOWN.std(KNOWN.scale(predicted))
    quantiles = KNOWN.quantiles(predicted, KNOWN.scale(predicted), QUANTILES)
    file = xr.Dataset(
        {
            "prediction": (dims, predicted),
            "std": (dims, std),
            "quantile_value": ((*dims, "quantile"), quantiles),
            "held_out_prediction": (dims, np.where(TESTED[:, None, None], np.nan, predicted)),
        },
        {**coords, "quantile": list(QUANTILES)},
        {"method": "invented", "backbone": "none", "fold": 0, "seed": 0},
    )
    role = np.where(TESTED, "test", "training")
    members = pd.DataFrame({"id": SITES, "kind": "site", "cluster": SITES, "role": role})
    return file, towers, members


@pytest.fixture(scope="module")
def rows(made):
    return interval_coverage.judged(*made, EXCHANGE, 0.5)


def test_the_calibrator_covers_months_and_years_and_independent_months_do_not(rows):
    table = interval_coverage.coverage_table(rows)
    some = table[(table["fold"] == "all") & (table["level"] == 0.9)].set_index(["way", "scale", "flux"])["coverage"]
    # 40 towers: three standard deviations of what the error model allows for one year each
    assert some["calibrator"].between(0.78, 1.0).all()
    assert (some["file", "year"] < some["calibrator", "year"] - 0.1).all()
    assert (some["file_correlated", "year"] >= some["calibrator", "year"]).all()
    fold = table[(table["fold"] == "0") & (table["way"] == "calibrator")]
    strays = ~fold["coverage"].between(fold["model_low"], fold["model_high"])
    assert strays.mean() < 0.5 and fold["spread_error"].between(0.7, 1.4).all()


def test_only_complete_years_and_test_towers_are_judged(rows, made):
    years = rows[(rows["scale"] == "year") & (rows["flux"] == "gpp") & (rows["level"] == 0.9)]
    own = years[years["way"] == "calibrator"].set_index("site")["count"]
    assert set(own.index) == set(np.array(SITES)[TESTED])
    assert own["S004"] == MONTHS // 12 - 1 and (own.drop("S004") == MONTHS // 12).all()


def test_labels_of_test_towers_change_no_interval(made, rows):
    file, towers, members = made
    spoiled = towers.copy(deep=True)
    spoiled["flux_value"][TESTED] += 0.001
    again = interval_coverage.judged(file, spoiled, members, EXCHANGE, 0.5)
    np.testing.assert_array_equal(again["square_std"], rows["square_std"])
    assert (again["square_error"] != rows["square_error"]).all()


def test_levels_that_the_file_lacks_are_left_out(rows):
    levels = rows[(rows["way"] == "file") & (rows["scale"] == "month")]["level"]
    assert sorted(levels.unique()) == [0.5, 0.9]


def test_a_run_gives_a_table(made, tmp_path, monkeypatch):
    file, towers, members = made
    run = tmp_path / "results" / "invented"
    held = file.isel(site=slice(0, 80))
    for name, data in (("data/towers.nc", towers), ("predictions/invented/none/fold0/seed0.nc", held)):
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        data.to_netcdf(run / name)
    monkeypatch.setattr(interval_coverage, "read_splits", lambda path: members)
    monkeypatch.setattr(interval_coverage, "roles", lambda splits, fold: splits)
    interval_coverage.main([str(run), "--folder", str(tmp_path), "--methods", "invented"])
    table = pd.read_csv(tmp_path / "interval_coverage.csv")
    assert set(table["way"]) == {"calibrator", "file", "file_correlated"} and set(table["fold"]) == {"0", "all"}
    with pytest.raises(SystemExit, match="has no prediction file with held_out_prediction"):
        interval_coverage.main([str(run), "--folder", str(tmp_path), "--methods", "other"])
