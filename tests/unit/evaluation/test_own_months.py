"""Reference rows: a tower's own climatology and the best method on its level, and that they are no methods."""

import numpy as np
import pandas as pd
import pytest

from dere.config.evaluation import EvaluationConfig
from dere.config.reference_rows import REFERENCE
from dere.evaluation.bootstrap import paired
from dere.evaluation.judge import judge
from dere.evaluation.own_months import LEVEL_MONTHS, best_method, level_corrected, own_climatology
from dere.evaluation.runs import OWN_CLIMATOLOGY, OWN_LEVEL
from dere.exchange.co2 import EXCHANGE as CO2
from dere.harmonise.axis import month_number

CONFIG = EvaluationConfig(bootstrap=50, minimum_years=3)


def gapped(seed, shape=(3, 50, 2)):
    rng = np.random.default_rng(seed)
    return np.where(rng.random(shape) < 0.5, rng.normal(size=shape), np.nan)


def test_own_climatology_is_the_mean_of_the_other_years_written_out():
    observed, month = gapped(0), (np.arange(50) + 4) % 12
    found = own_climatology(observed, month)
    for place in np.ndindex(observed.shape):
        site, time, flux = place
        others = [observed[site, t, flux] for t in range(50) if month[t] == month[time] and t != time]
        others = [value for value in others if np.isfinite(value)]
        assert found[place] == pytest.approx(np.mean(others)) if others else np.isnan(found[place])
    changed = observed.copy()
    changed[0, 7, 0] = 1e6
    # its own value is out
    assert own_climatology(changed, month)[0, 7, 0] == pytest.approx(found[0, 7, 0], nan_ok=True)


def test_the_level_is_that_of_the_first_good_months_which_are_not_scored():
    observed, predicted = gapped(1), gapped(2) * 0 + 5.0
    predicted = np.where(np.isfinite(predicted), predicted, 4.0)
    observed[2, 20:, 0] = np.nan
    found = level_corrected(predicted, observed)
    for site, flux in np.ndindex(3, 2):
        good = np.flatnonzero(np.isfinite(observed[site, :, flux]))
        own = good[:LEVEL_MONTHS]
        if len(own) < LEVEL_MONTHS:
            assert np.isnan(found[site, :, flux]).all()
            continue
        expected = predicted[site, :, flux] + (observed[site, own, flux] - predicted[site, own, flux]).mean()
        expected[own] = np.nan
        np.testing.assert_allclose(found[site, :, flux], expected)


def test_references_stand_beside_the_methods_by_their_months_and_in_no_pair(noisy, towers, members):
    splits = members.drop(columns="role")
    files = {f"{m}/{s}": noisy(size, m, s) for m, size in (("good", 0.5), ("bad", 2.0)) for s in range(2)}
    files = {
        name: file.assign(prediction=file["prediction"] + np.array([3.0, 3.0, 0.0])) for name, file in files.items()
    }
    found = judge(files, towers, splits, CONFIG)
    monthly = found["site_skill"].query("scale == 'monthly' and rows == 'measured' and quality == 0.5")
    assert best_method(found["site_skill"], CO2, CONFIG) == ("good", "none")
    good, level, own = (
        monthly[monthly["method"] == name].set_index(["site", "seed", "flux"])
        for name in ("good", OWN_LEVEL, OWN_CLIMATOLOGY)
    )
    shared = level.index
    assert len(shared) and (level["months"] == good.loc[shared, "months"] - LEVEL_MONTHS).all()
    assert level["bias"].abs().median() < 0.5 < 2.5 < good.loc[shared].xs("gpp", level="flux")["bias"].median()
    assert set(own.index.get_level_values("seed")) == {"0"}, "it depends on no seed"
    site, flux = own.index[0][0], own.index[0][2]
    here = towers.sel(site=[site], flux=[flux])
    observed = (
        here["flux_value"].where(here["record"] & (here["flux_quality"] >= 0.5)).transpose("site", "time", "flux")
    )
    values = own_climatology(observed.values.astype(float), month_number(towers["time"].values) % 12)
    both = np.isfinite(observed.values) & np.isfinite(values)
    error = (values - observed.values)[both]
    assert own.iloc[0]["rmse"] == pytest.approx(np.sqrt((error**2).mean()), rel=1e-5)
    assert own.iloc[0]["months"] == both.sum()
    assert not found["paired"][["method", "against"]].stack().str.startswith(REFERENCE).any()
    assert {OWN_LEVEL, OWN_CLIMATOLOGY} < set(found["skill"]["method"])
    without = judge(files, towers, splits, CONFIG, with_references=False)
    plain = found["site_skill"][~found["site_skill"]["method"].str.startswith(REFERENCE)]
    pd.testing.assert_frame_equal(plain.reset_index(drop=True), without["site_skill"])
    pd.testing.assert_frame_equal(found["paired"], without["paired"])
    assert paired(found["site_skill"][found["site_skill"]["method"].str.startswith(REFERENCE)], CONFIG).empty
