import numpy as np
import pytest

from dere.harmonise.co2 import global_co2
from dere.harmonise.gaps import complete_drivers
from dere.variables import MONTHLY8


def months(counts, site, reason):
    rows = counts[(counts["site"] == site) & (counts["reason"] == reason)]
    return int(rows["months"].sum())


def test_reanalysis_comes_first_then_the_tower_then_climatology(towers):
    towers["vpd"][:] = 99.0
    towers["vpd_reanalysis"][0, 5] = np.nan
    towers["vpd_reanalysis"][0, 7] = np.nan
    towers["vpd"][0, 7] = np.nan
    done = complete_drivers(towers, 0.3)
    vpd = done.dataset["vpd"].values
    assert vpd[0, 5] == 99.0
    assert vpd[0, 7] == pytest.approx(np.mean(towers["vpd_reanalysis"].values[0, [19, 31, 43]]), rel=1e-6)
    np.testing.assert_allclose(vpd[1], towers["vpd_reanalysis"].values[1], rtol=1e-6)
    assert months(done.counts, "XX-S00", "vpd: tower") == 1
    assert months(done.counts, "XX-S00", "vpd: climatology") == 1
    np.testing.assert_array_equal(np.argwhere(done.dataset["driver_filled"].values), [[0, 7]])


def test_a_site_beyond_the_limit_is_dropped_with_a_sentence(towers):
    towers["wind"][2, :20] = np.nan
    towers["wind_reanalysis"][2, :20] = np.nan
    done = complete_drivers(towers, 0.3)
    assert set(done.dropped) == {"XX-S02"}
    assert "wind in 20 of 48 months (42%), at most 30%" in done.dropped["XX-S02"]
    assert "XX-S02" not in done.dataset["site"].values
    assert not complete_drivers(towers, 0.5).dropped


def test_a_driver_without_any_value_drops_the_site_whatever_the_limit(towers):
    towers["longwave"][3] = np.nan
    towers["longwave_reanalysis"][3] = np.nan
    assert "no value of longwave" in complete_drivers(towers, 1.0).dropped["XX-S03"]


def test_no_complete_site_is_an_error(towers):
    towers["wind"][:] = np.nan
    towers["wind_reanalysis"][:] = np.nan
    with pytest.raises(ValueError, match="none of 12 sites has complete drivers"):
        complete_drivers(towers, 0.3)


def test_months_outside_the_record_stay_missing_and_do_not_feed_the_climatology(towers):
    towers["in_record"][0, :12] = False
    towers["air_temperature_reanalysis"][0, 14] = np.nan
    towers["air_temperature"][0, 14] = np.nan
    towers["air_temperature_reanalysis"][0, 2] = 1000.0
    done = complete_drivers(towers, 0.3).dataset
    assert np.isnan(done["air_temperature"].values[0, :12]).all()
    assert done["air_temperature"].values[0, 14] < 50
    assert all(np.isfinite(done[name].values[0, 12:]).all() for name in MONTHLY8)


def test_tower_co2_is_never_used_unless_it_is_known_to_be_clean(towers):
    towers["co2"][:] = 450.0
    background = global_co2(towers["time"].values, towers["lat"].values)
    np.testing.assert_allclose(complete_drivers(towers, 0.3).dataset["co2"], background, rtol=1e-6)
    assert (complete_drivers(towers, 0.3, use_tower_co2=True).dataset["co2"] == 450.0).all()


def test_gaps_of_a_clean_co2_column_keep_its_level_and_the_trend(towers):
    background = global_co2(towers["time"].values, towers["lat"].values)
    towers["co2"][:] = background + 7.0
    towers["co2"][0, 24:] = np.nan
    towers["co2"][1] = np.nan
    done = complete_drivers(towers, 0.3, use_tower_co2=True)
    np.testing.assert_allclose(done.dataset["co2"].values[0], background[0] + 7.0, rtol=1e-6)
    np.testing.assert_allclose(done.dataset["co2"].values[1], background[1], rtol=1e-6)
    assert months(done.counts, "XX-S00", "co2: global record") == 24
    assert not done.dropped
