"""What months of its own give a tower: the more are known, the nearer, by labels of no other month or tower."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.config.evaluation import EvaluationConfig
from dere.evaluation.months_known import DRAWS, KNOWN, _season, months_known, shown_months
from dere.evaluation.schemas import checked
from dere.evaluation.site_calibration import site_calibration
from dere.exchange.co2 import EXCHANGE
from dere.intervals.site_calibration import errors_of
from dere.intervals.spread import spread
from dere.intervals.stated import stated
from invented_errors import KNOWN as MODEL
from invented_errors import labels_around, predictions

TOWERS, MONTHS = 60, 60
CONFIG = EvaluationConfig(bootstrap=200)
DIMS = ("site", "time", "flux")


@pytest.fixture(scope="module")
def world():
    """Towers whose labels follow the error model; the last one has a short record."""
    mean = predictions(TOWERS, MONTHS)
    labels = labels_around(mean, 3)
    labels[-1, 30:] = np.nan
    labels[:, 20:25, 2] = np.nan
    ids = np.array([f"t{i:03d}" for i in range(TOWERS)])
    time = pd.date_range("2001-01-01", periods=MONTHS, freq="MS") + pd.Timedelta(days=14)
    where = {"site": ids, "time": time, "flux": list(EXCHANGE.names)}
    record = np.ones((TOWERS, MONTHS), bool)
    record[0, :6] = False
    towers = xr.Dataset(
        {
            "flux_value": (DIMS, np.where(record[..., None], labels, np.nan)),
            "flux_quality": (DIMS, np.ones(labels.shape)),
            "record": (DIMS[:2], record),
        },
        coords={**where, "lat": ("site", np.where(np.arange(TOWERS) % 2, 50.0, -30.0))},
    )
    members = pd.DataFrame(
        {"id": ids, "kind": "site", "cluster": [f"c{i // 2}" for i in range(TOWERS)], "fold": 0, "role": "test"}
    )
    file = xr.Dataset({"prediction": (DIMS, mean)}, coords=where)
    file = file.assign(spread(mean, MODEL.scale(mean), MODEL, "site", "label"))
    file = file.where(xr.DataArray(record, dims=DIMS[:2]))
    for name in ("std", "quantile_value"):
        file[name].attrs = {"interval_of": "label"}
    file.attrs = {"method": "gbm", "backbone": "none", "fold": 0, "seed": 0, **stated(MODEL)}
    return file, towers, members, CONFIG


@pytest.fixture(scope="module")
def rows(world):
    return months_known(*world)


def test_more_months_bring_predictions_nearer_and_intervals_hold(rows):
    table = checked(site_calibration(rows, 200, 0), "site_calibration")
    whole = table.query("fold == 'all' and support_season == 'all'").set_index(["flux", "known_months"])
    assert set(whole["sites"]) == {TOWERS - 1} and set(whole["clusters"]) == {TOWERS // 2}
    for flux in EXCHANGE.names:
        ratio = whole.loc[flux, "rmse_ratio"]
        assert ratio[0] == 1.0 and (np.diff(ratio[[0, 1, 6, 24]]) < 0).all() and ratio[24] < 0.85
        np.testing.assert_allclose(whole.loc[flux, "coverage_90"], 0.9, atol=0.06)
        assert whole.loc[flux, "width_ratio"][24] < 0.9
    assert (whole["ratio_low"] <= whole["rmse_ratio"]).all() and (whole["rmse_ratio"] <= whole["ratio_high"]).all()
    seasons = table.query("support_season != 'all'")
    assert set(seasons["known_months"]) == {1, 3, 6} and set(seasons["fold"]) == {"all"}
    assert set(seasons["support_season"]) == {"winter", "spring", "summer", "autumn"}
    assert len(table.query("fold == '0'")) == 3 * len(KNOWN)


def test_every_number_of_months_is_judged_by_the_same_ones(rows):
    count = rows.groupby(["site", "draw", "flux"])["known"].apply(lambda known: tuple(sorted(known)))
    assert set(count) == {KNOWN} and len(count) == (TOWERS - 1) * DRAWS * 3


def test_labels_of_other_towers_and_of_judged_months_are_not_looked_at(world, rows):
    file, towers, members, config = world
    values = towers["flux_value"].values.copy()
    values[::2] *= 3.0
    others = months_known(file, towers.assign(flux_value=(DIMS, values)), members, config)
    same = rows["site"].isin(towers["site"].values[1::2])
    assert same.any()
    pd.testing.assert_frame_equal(others[same.to_numpy()], rows[same], check_exact=True)
    assert not np.allclose(others.loc[~same, "log_ratio"], rows.loc[~same, "log_ratio"])

    own = slice(6, None)
    mean, label = file["prediction"].values[0, own], towers["flux_value"].values[0, own]
    errors, shown = errors_of(MODEL.scale(mean[None])[0], MODEL), np.arange(10, 16)
    wrong = 100.0 - label
    wrong[shown] = label[shown]
    first, second = (shown_months(mean, errors, values, np.ones(label.shape), shown) for values in (label, wrong))
    np.testing.assert_array_equal(first.mean, second.mean)
    np.testing.assert_array_equal(first.scale("label"), second.scale("label"))
    assert not np.array_equal(first.mean, mean)


def test_short_stretches_have_the_season_of_the_place(rows):
    assert set(rows.loc[rows["known"].isin([1, 3, 6]), "season"]) == {"winter", "spring", "summer", "autumn"}
    assert set(rows.loc[rows["known"].isin([0, 12, 24]), "season"]) == {""}
    # calendar months from 0, turned round in the south before
    named = {month: _season(np.array([month])) for month in range(12)}
    assert [named[month] for month in (11, 1, 2, 6, 8)] == ["winter", "winter", "spring", "summer", "autumn"]
    assert _season(np.arange(4, 10)) == "summer"


def test_a_file_that_states_no_error_model_has_no_rows(world):
    file, *rest = world
    bare = file.copy()
    bare.attrs = {name: value for name, value in file.attrs.items() if not name.startswith("error_model")}
    assert months_known(bare, *rest).empty
    assert months_known(file.assign_attrs(fold="all"), *rest).empty
    assert site_calibration(months_known(bare, *rest), 200, 0).empty
