import numpy as np
import pytest
import xarray as xr

from dere.harmonise.axis import calendar_years, month_number, monthly_climatology, on_calendar_years, time_bounds
from dere.harmonise.co2 import global_co2
from dere.ingest.months import mid_months


def test_whole_calendar_years_without_change_of_known_months():
    time = mid_months(2003 * 12 + 4, 10)
    towers = xr.Dataset(
        {"nee": (("site", "time"), np.arange(10.0)[None]), "in_record": (("site", "time"), np.ones((1, 10), bool))},
        coords={"site": ["a"], "time": time},
    )
    full = on_calendar_years(towers)
    assert month_number(full["time"].values)[0] == 2003 * 12
    assert full.sizes["time"] == 24
    assert list(calendar_years(full["time"].values)) == [2003, 2004]
    assert full["in_record"].dtype == bool
    assert full["in_record"].values.sum() == 10
    np.testing.assert_array_equal(full["nee"].values[0, 4:14], np.arange(10.0))


def test_a_doubled_month_is_an_error_that_names_it():
    time = mid_months(2003 * 12, 3)[[0, 1, 1]]
    towers = xr.Dataset({"nee": (("site", "time"), np.zeros((1, 3)))}, coords={"site": ["a"], "time": time})
    with pytest.raises(ValueError, match="2003-02 2 times"):
        on_calendar_years(towers)


def test_climatology_interpolates_around_the_year_and_keeps_empty_series_missing():
    values = np.full((2, 24), np.nan)
    values[0, [11, 23]] = 4.0, 6.0
    values[0, 2] = 11.0
    cycle = monthly_climatology(values, np.arange(24) % 12)
    assert cycle[0, 11] == 5.0
    assert cycle[0, 2] == 11.0
    np.testing.assert_allclose(cycle[0, [0, 1]], [7.0, 9.0])
    assert np.isnan(cycle[1]).all()


def test_bounds_enclose_the_middle():
    time = mid_months(2004 * 12, 12)
    bounds = time_bounds(time)
    assert bounds.shape == (12, 2)
    assert (bounds[:, 0] < time).all()
    assert (time < bounds[:, 1]).all()
    assert (bounds[1:, 0] == bounds[:-1, 1]).all()


# NOAA global annual means
@pytest.mark.parametrize(("year", "ppm"), [(1991, 355.4), (2000, 369.0), (2010, 388.8), (2015, 399.7), (2020, 412.4)])
def test_co2_follows_the_measured_growth(year, ppm):
    north, south = global_co2(mid_months(year * 12, 12), np.array([60.0, -75.0]))
    assert abs(south.mean() - ppm) < 1.6
    assert np.ptp(north) > 5 * np.ptp(south) / 2
    assert north.argmax() in (3, 4)
