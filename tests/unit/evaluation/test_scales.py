"""Time scales of the judge."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dere.config.evaluation import EvaluationConfig
from dere.evaluation.metrics import scores
from dere.evaluation.scales import SCALES, pairs_at_scales

CONFIG = EvaluationConfig()


def axis(months: int, first: str = "2001-01-01") -> np.ndarray:
    return pd.date_range(first, periods=months, freq="MS").values


def test_scales_equal_a_plain_groupby():
    rng = np.random.default_rng(0)
    time = axis(84, "2001-04-01")
    o, p = rng.normal(size=84), rng.normal(size=84)
    o[rng.random(84) < 0.1] = np.nan
    found = pairs_at_scales(o, p, time, CONFIG)
    table = pd.DataFrame({"o": o, "p": np.where(np.isnan(o), np.nan, p)}, index=pd.DatetimeIndex(time))
    cycle = table.groupby(table.index.month).mean()
    np.testing.assert_allclose(found["seasonal_cycle"][1], cycle["p"], rtol=1e-12)
    anomaly = (table - table.groupby(table.index.month).transform("mean")).dropna()
    got = found["anomaly"][1]
    np.testing.assert_allclose(got[np.isfinite(got)], anomaly["p"])
    count = anomaly.groupby(anomaly.index.year)["o"].count()
    annual = anomaly.groupby(anomaly.index.year).mean()[count >= 6]
    got = found["interannual"][0]
    np.testing.assert_allclose(got[np.isfinite(got)], annual["o"] - annual["o"].mean())
    np.testing.assert_allclose(found["site_mean"][1], table.dropna()["p"].mean())
    assert tuple(found) == SCALES


def test_a_gap_in_the_observation_is_a_gap_in_the_prediction():
    o, p = np.ones(72), np.arange(72.0)
    o[10] = np.nan
    found = pairs_at_scales(o, p, axis(72), CONFIG)
    for scale in ("monthly", "anomaly", "interannual"):
        assert (np.isnan(found[scale][0]) == np.isnan(found[scale][1])).all(), scale
    assert found["site_mean"][1][0] == pytest.approx(np.delete(p, 10).mean())


def test_interannual_needs_enough_good_years():
    o = np.random.default_rng(1).normal(size=60)
    assert np.isfinite(pairs_at_scales(o, o, axis(60), CONFIG)["interannual"][0]).sum() == 5
    o[48:55] = np.nan  # the fifth year has five months left
    assert np.isnan(pairs_at_scales(o, o, axis(60), CONFIG)["interannual"][0]).all()


def test_missing_winters_do_not_make_interannual_variability():
    season = np.tile(-np.cos(2 * np.pi * np.arange(12) / 12), 6)
    o = season.copy()
    o[[0, 1, 11, 24, 25]] = np.nan
    annual = pairs_at_scales(o, season, axis(72), CONFIG)["interannual"][0]
    np.testing.assert_allclose(annual, 0, atol=1e-12)


def test_a_calendar_month_seen_once_has_no_anomaly():
    o = np.random.default_rng(2).normal(size=13)
    found = pairs_at_scales(o, o, axis(13), CONFIG)
    assert np.isnan(found["seasonal_cycle"][0]).all()  # a single calendar month is no cycle
    assert np.isfinite(found["anomaly"][0]).sum() == 2


def test_a_year_offset_is_the_site_mean_bias_only():
    o = np.random.default_rng(3).normal(size=72)
    found = pairs_at_scales(o, o + 2, axis(72), CONFIG)
    assert scores(*found["anomaly"])["rmse"] == pytest.approx(0, abs=1e-12)
    assert scores(*found["site_mean"])["bias"] == pytest.approx(2)


def test_a_hole_in_the_axis_is_refused():
    time = np.delete(axis(24), 5)
    with pytest.raises(ValueError, match="consecutive months"):
        pairs_at_scales(np.ones(23), np.ones(23), time, CONFIG)
