"""The methane forest on made-up towers: no label of a cluster predicts it, and known months put levels right."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import methane_forest
from methane_rows import MODELS, Rows, read_rows, seasonal_mean, unseen, warming_line

TOWERS, MONTHS = 8, 24


@pytest.fixture(scope="module")
def made():
    """Towers of one season and levels of their own, two in each cluster but the last two; predictions lack them."""
    month = np.tile(np.arange(MONTHS) % 12, TOWERS)
    tower = np.repeat(np.arange(TOWERS), MONTHS)
    season = 30.0 - 25.0 * np.cos(2 * np.pi * month / 12)
    level = np.exp(np.linspace(-1.5, 1.5, TOWERS))[tower]
    rng = np.random.default_rng(0)
    label = level * season * np.exp(0.1 * rng.normal(size=len(month)))
    site = np.array([f"S{i}" for i in range(TOWERS)])[tower]
    cluster = np.array([f"C{i}" for i in (0, 0, 1, 1, 2, 2, 3, 4)])[tower]
    rows = Rows(site, cluster, month, season, season[:, None], ("season",), label)
    return rows, season


def test_no_label_of_a_cluster_reaches_its_own_prediction(made):
    rows, _ = made
    changed = Rows(**{**vars(rows), "label": np.where(rows.cluster == "C1", 1000.0, rows.label)})
    own = rows.cluster == "C1"
    for name in ("seasonal mean", "Q10 line", "boosted trees"):
        before, after = (unseen(each, MODELS[name], 0) for each in (rows, changed))
        np.testing.assert_array_equal(before[own], after[own], err_msg=name)
        assert not np.allclose(before[~own], after[~own]), name


def test_towers_count_alike_however_long_their_records(made):
    rows, _ = made
    some = rows.site != "S7"
    assert rows.weights(some).sum() == pytest.approx(TOWERS - 1)
    short = some & ~((rows.site == "S0") & (np.arange(len(rows.site)) >= 12))
    shortened = Rows(**{name: value if name == "names" else value[short] for name, value in vars(rows).items()})
    assert shortened.weights(shortened.site == "S0").sum() == pytest.approx(1.0)
    np.testing.assert_allclose(shortened.weights(shortened.site == "S0"), 1 / 12)


def test_lines_and_means_are_what_they_say(made):
    rows, season = made
    all_rows = np.ones(len(season), bool)
    mean = seasonal_mean(rows, all_rows, all_rows, 0)
    at = rows.calendar == 6
    np.testing.assert_allclose(mean[at], rows.label[at].mean())
    exact = Rows(**{**vars(rows), "label": 2.0 * np.exp(0.1 * rows.temperature)})
    np.testing.assert_allclose(warming_line(exact, all_rows, all_rows, 0), exact.label, rtol=1e-6)


def pairs_of(rows, season):
    names = np.unique(rows.cluster)
    return {(str(one), str(other)): season for one in names for other in names if one != other}


def test_known_months_put_the_level_right(made):
    rows, season = made
    pairs = pairs_of(rows, season)
    halves = {str(name): methane_forest.half_believed(rows, pairs, str(name)) for name in np.unique(rows.cluster)}
    each = methane_forest.known_months(rows, [season], halves, 6)
    assert list(each["site"]) == [f"S{i}" for i in range(TOWERS)]
    assert each["share"].between(0.9, 1.0).all()
    assert (each["nse_shrunk"] > 0.8).all() and each["nse_without"].median() < 0
    assert (methane_forest.known_months(rows, [season], halves, 0)["nse_shrunk"] < each["nse_shrunk"]).all()


def test_levels_that_say_nothing_are_shrunk_away(made):
    rows, season = made
    noise = np.random.default_rng(1)
    flat = Rows(**{**vars(rows), "label": season * np.exp(noise.normal(size=len(season)))})
    half = methane_forest.half_believed(flat, pairs_of(rows, season), "C4")
    assert methane_forest.share_of(1.0, half) < 0.3
    assert methane_forest.share_of(1.0, methane_forest.half_believed(rows, pairs_of(rows, season), "C4")) > 0.9


def test_winters_say_less_of_a_level_than_summers(made):
    rows, season = made
    own = np.flatnonzero(rows.site == "S3")
    winter, summer = own[rows.calendar[own] == 0], own[rows.calendar[own] == 6]
    assert methane_forest.information(season, winter, own) < 0.4 < 3.0 < methane_forest.information(season, summer, own)
    assert methane_forest.information(season, own, own) == pytest.approx(MONTHS)


def test_better_predictions_are_better_in_the_tables(made):
    rows, season = made
    predictions = {"forest": [rows.label * 1.01, rows.label * 1.02], "seasonal mean": [season]}
    table = methane_forest.models(rows, predictions).set_index("model")
    assert table.loc["forest", "nse_median"] > 0.99 > table.loc["seasonal mean", "nse_median"]
    assert table.loc["forest", "towers_above_0"] == TOWERS and table.loc["forest", "seeds"] == 2
    (row,) = methane_forest.paired(rows, predictions).itertuples()
    assert row.ratio_low <= row.rmse_ratio <= row.ratio_high < 1 < 1 + row.nse_low
    assert (row.towers, row.clusters) == (8, 5)


def test_rows_of_the_package_are_the_labelled_months():
    rows = read_rows()
    assert len(rows.label) == 495 and len(set(rows.cluster)) == 12 and len(methane_forest.scored_towers(rows)) == 14
    assert np.isfinite(rows.features).all() and rows.features.shape == (495, len(rows.names))
    south = rows.site == "BW-Gum"
    assert rows.features[south, rows.names.index("latitude")] == pytest.approx(18.9647)
    assert {"TA_F_lag3", "P_F_mean12", "SW_IN_F", "VPD_F", "mean_precipitation", "wetland"} <= set(rows.names)
