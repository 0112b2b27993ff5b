import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seen_by_methods import window_drivers

from dere.harmonise.beyond_record import extend_records
from dere.harmonise.co2 import global_co2
from dere.harmonise.final import final_towers
from dere.harmonise.gaps import complete_drivers
from dere.harmonise.labels import make_labels
from dere.harmonise.windows import (
    record_span,
    site_windows,
    stitch,
    window_starts,
)


def canonical(towers, window, stride):
    dataset = complete_drivers(towers, 0.3).dataset.assign(make_labels(towers).dataset.data_vars)
    site, start = site_windows(dataset["record"].values, window, stride)
    dataset["window_site"], dataset["window_start"] = ("window", site), ("window", start)
    dataset.attrs |= {"driver_set": "monthly8", "window": window}
    return final_towers(dataset, satellites=False)


@settings(deadline=None)
@given(st.integers(0, 300), st.integers(1, 300), st.integers(1, 150), st.integers(1, 80))
def test_windows_cover_the_record_and_the_last_one_ends_with_it(begin, length, window, stride):
    end = begin + length
    starts = window_starts(begin, end, window, min(stride, window))
    covered = set().union(*(range(start, start + window) for start in starts))
    assert covered >= set(range(begin, end))
    assert starts == sorted(set(starts))
    assert min(starts) >= 0
    if length > window:
        assert starts[0] == begin
        assert starts[-1] + window == end
        assert all(b - a <= stride for a, b in itertools.pairwise(starts))
    else:
        assert len(starts) == 1


@settings(deadline=None)
@given(st.integers(0, 400), st.integers(1, 100), st.integers(1, 12))
def test_short_records_stay_on_an_axis_that_is_long_enough(end, length, years):
    window = 12 * years
    begin = max(end - length, 0)
    (start,) = window_starts(begin, begin + min(length, window), window, 12)[:1]
    axis = max(window, begin + min(length, window))
    assert start + window <= axis


def test_records_are_widened_to_calendar_years_so_that_windows_start_in_january():
    record = np.zeros((1, 96), bool)
    record[0, 29:70] = True
    assert record_span(record[0]) == (24, 72)
    _, starts = site_windows(record, 24, 12)
    assert not (starts % 12).any()
    assert list(starts) == [24, 36, 48]


def test_an_empty_record_is_an_error():
    with pytest.raises(ValueError, match="empty record"):
        record_span(np.zeros(12, bool))


def test_outside_the_record_drivers_are_the_sites_climatology_and_co2_follows_the_trend(towers):
    towers["in_record"][0, :24] = False
    extended = extend_records(complete_drivers(towers, 0.3).dataset, "monthly8", 60)
    own = towers["air_temperature_reanalysis"].values[0]
    filled = extended["air_temperature"].values[0]
    np.testing.assert_allclose(filled[24:48], own[24:48], rtol=1e-5)
    np.testing.assert_allclose(filled[[0, 12, 48]], (own[24] + own[36]) / 2, rtol=1e-5)
    background = global_co2(extended["time"].values, towers["lat"].values)
    np.testing.assert_allclose(extended["co2"].values, background, rtol=1e-5)


def test_drivers_of_windows_are_complete_and_are_those_of_their_site_and_month(towers):
    towers["in_record"][0, 12:] = False
    dataset = canonical(towers, 36, 12)
    drivers, names = window_drivers(dataset)
    assert drivers.shape == (dataset.sizes["window"], 36, len(names))
    assert np.isfinite(drivers).all()
    row = int(np.flatnonzero((dataset["window_site"] == 4) & (dataset["window_start"] == 12))[0])
    expected = towers["vpd_reanalysis"].values[4, 12:48]
    np.testing.assert_allclose(drivers[row, :, names.index("vpd")], expected, rtol=1e-6)


def test_windows_longer_than_the_axis_lengthen_it_by_months_without_record_and_labels(towers):
    dataset = canonical(towers.isel(time=slice(0, 24)), 60, 12)
    assert window_drivers(dataset)[0].shape[1] == 60 == dataset.sizes["time"]
    assert (dataset["window_start"] == 0).all()
    assert dataset["record"].dtype == bool
    assert dataset["record"].values[:, :24].all()
    assert not dataset["record"].values[:, 24:].any()
    assert np.isfinite(dataset["flux_value"].values[:, :24]).all()
    assert np.isnan(dataset["flux_value"].values[:, 24:]).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4), st.integers(1, 5), st.integers(6, 30), st.integers(1, 20), st.integers(0, 9))
def test_stitching_gathered_windows_gives_the_series_back(sites, years, window, stride, seed):
    rng = np.random.default_rng(seed)
    months = 12 * years
    series = rng.normal(size=(sites, months, 3))
    window = min(window, months)
    record = np.ones((sites, months), bool)
    site, start = site_windows(record, window, min(stride, window))
    index = start[:, None].astype(int) + np.arange(window)
    back = stitch(series[site[:, None], index], site, index, sites, months)
    np.testing.assert_allclose(back, series)


def test_overlaps_are_averaged_and_months_without_a_window_are_missing():
    index = np.array([[0, 1, 2], [1, 2, 3]])
    values = np.array([[1.0, 1.0, 1.0], [1.0, 3.0, 3.0]])
    joined = stitch(values, np.array([0, 0]), index, 2, 4)
    np.testing.assert_array_equal(joined[0], [1, 1, 2, 3])
    assert np.isnan(joined[1]).all()
