"""Records of formats that lack columns, and times that are not FLUXNET stamps."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from declared_products import PRODUCTS
from dere.config.towers import TowerSource
from dere.harmonise.cells import drivers_from_cells
from dere.harmonise.gaps import complete_drivers
from dere.ingest.months import mid_months
from dere.ingest.tower.canonical import bounded_flux
from dere.ingest.tower.fluxnet.names import parse_name
from dere.ingest.tower.partial_record import (
    Origin,
    in_record,
    monthly_columns,
    partial_record,
    rank_of,
)
from dere.ingest.tower.record import RECORD_VARIABLES
from dere.ingest.tower.stamps import steps_of, text_times, year_day_times

MONTHS = np.arange(2000 * 12, 2000 * 12 + 12)
WEATHER = {
    "air_temperature": 8.0, "precipitation": 2.0, "shortwave": 120.0, "longwave": 300.0, "vpd": 3.0, "pressure": 98.0,
    "wind": 3.0,
}  # fmt: skip


def origin(product="abcflux-v2", preference=0):
    return Origin(PRODUCTS[product], "text", "net", "file.csv", preference)


def test_what_is_not_given_is_missing():
    record = partial_record("DK-ZaH", MONTHS, {"nee": np.zeros(12)}, origin())
    assert set(record.values) == set(RECORD_VARIABLES) and record.site == "GL-ZaH"
    assert np.isnan(record.values["vpd"]).all() and not record.values["nee"].any()


def test_a_monthly_file_of_the_family_always_comes_first():
    lowest = parse_name("FLX_BE-Vie_FLUXNET2015_SUBSET_MM_1996-2014_1-3.csv").rank
    order = sorted((key for key in PRODUCTS if PRODUCTS[key].rank < 0), key=lambda key: -PRODUCTS[key].rank)
    assert order == [
        "plumber2", "fluxnet-ch4", "fluxnet-ch4-bundled", "fluxnet2015-zarr", "carbonsense-v2", "carbonsense-v1",
        "fluxcourse-sites", "abcflux-v2", "abcflux-v1", "six-forests",
    ]  # fmt: skip
    assert all(rank_of(origin(product)) < (0,) < lowest for product in order)
    assert rank_of(origin(preference=2)) > rank_of(origin(preference=1))


def test_range_breaches_are_counted_not_clipped(caplog):
    record = partial_record("XX-Syn", MONTHS, {"gpp_nt": np.r_[np.full(11, 2.0), 60.0]}, origin())
    assert record.breaches == {"gpp_nt": 1} and record.counts["range_breaches"] == 1
    assert record.values["gpp_nt"].max() == 60 and "1 of 12 values of gpp" in caplog.text


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"air_temperature": np.full(12, 285.0)}, "it looks like K"),
        ({"nee_quality": np.full(12, 3.0)}, "monthly quality is a share"),
        ({"nee_measured_share": np.full(12, -1.0)}, "monthly quality is a share"),
    ],
)
def test_impossible_values_end_in_one_sentence(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        partial_record("XX-Syn", MONTHS, given, origin())


def test_wanted_partitioning_needs_months():
    nee, gap = np.zeros(12), np.full(12, np.nan)
    both = {"nee": nee, "gpp_nt": nee, "gpp_dt": nee}
    for given, config, expected in (
        (both, TowerSource(), "nt"),
        (both, TowerSource(partitioning="dt"), "dt"),
        ({**both, "gpp_dt": gap}, TowerSource(partitioning="dt", fallback="all"), "nt"),
        ({**both, "gpp_dt": gap}, TowerSource(partitioning="dt"), "dt"),
    ):
        assert partial_record("XX-Syn", MONTHS, given, origin(), config=config).partitioning == expected


def test_runaway_fluxes_are_missing_and_counted():
    counts: dict[str, int] = {}
    table = pd.DataFrame({"NEE": [1.0, -200.0, np.inf, -np.inf, 1e142, -9999.0, np.nan]})
    np.testing.assert_array_equal(bounded_flux(table, "NEE", "file", counts), [1.0, *[np.nan] * 6])
    assert counts["runaway_fluxes"] == 4
    assert np.isnan(bounded_flux(table, "GPP", "file", counts)).all() and counts["runaway_fluxes"] == 4


def test_monthly_columns_equal_a_slow_mean():
    rng = np.random.default_rng(5)
    times = np.arange(np.datetime64("2003-01-20T00:00", "m"), np.datetime64("2003-05-10", "m"), np.timedelta64(60, "m"))
    steps = steps_of(times, 24, "file", "time")
    values = np.where(rng.random(len(times)) < 0.3, np.nan, rng.normal(size=len(times)))
    good = np.where(np.isfinite(values), rng.integers(0, 2, len(times)), np.nan)
    months, means = monthly_columns(steps, {"value": values, "share": good}, 0.5, ("share",))
    frame = pd.DataFrame({"value": values, "share": good}, index=pd.DatetimeIndex(times))
    for month, value, share in zip(months, means["value"], means["share"], strict=True):
        rows = frame[(frame.index.year * 12 + frame.index.month - 1) == month]
        full = 24 * rows.index[0].days_in_month
        expected = rows["value"].mean() if rows["value"].notna().sum() >= 0.5 * full else np.nan
        np.testing.assert_allclose([value, share], [expected, rows["share"].sum() / full])
    assert np.isnan(means["value"][0]) and np.isfinite(means["value"][1])


def test_record_begins_and_ends_with_a_flux():
    fluxes = np.array([np.nan, 1, np.nan, 2, np.nan])
    months, means = in_record(np.arange(5), {"gpp_nt": fluxes, "vpd": np.arange(5.0)})
    assert months.tolist() == [1, 2, 3] and means["vpd"].tolist() == [1, 2, 3]
    assert len(in_record(np.arange(5), {"gpp_nt": fluxes * np.nan})[0]) == 0


def test_times_of_text_and_of_days_of_the_year():
    texts = text_times(pd.Series(["2004-02-28", "2004-02-29"]), "%Y-%m-%d", "file", "date")
    days = year_day_times(np.array([2004.0, 2004.0]), np.array([59.0, 60.0]), "file", "doy")
    np.testing.assert_array_equal(texts, days)
    steps = steps_of(texts, 1, "file", "date")
    assert steps.month.tolist() == [2004 * 12 + 1] * 2 and steps.hour.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("year", "day"), [(2003.0, 366.0), (2003.0, 0.0), (2003.0, 1.5), (np.nan, 1.0), (99999.0, 1.0), (2003.0, np.nan)]
)
def test_days_that_a_year_does_not_have(year, day):
    with pytest.raises(ValueError, match="which that year does not have"):
        year_day_times(np.array([2003.0, year]), np.array([1.0, day]), "file", "doy")


def test_times_between_steps_are_refused():
    times = np.array(["2003-01-01T00:00", "2003-01-01T00:20"], dtype="datetime64[m]")
    with pytest.raises(ValueError, match="not the beginning of one of 48 steps"):
        steps_of(times, 48, "file", "time")


def test_a_site_without_drivers_is_dropped_with_a_sentence_or_takes_those_of_its_cell():
    fluxes = partial_record("XX-Flx", MONTHS, {"nee": np.zeros(12), "gpp_nt": np.ones(12)}, origin())
    weather = {name: np.full(12, value) for name, value in WEATHER.items()}
    complete = partial_record("XX-All", MONTHS, {"nee": np.zeros(12), **weather}, origin())
    towers = xr.Dataset(
        {
            name: (("site", "time"), np.stack([fluxes.values[name], complete.values[name]]))
            for name in fluxes.values
            if name in WEATHER
        },
        coords={"site": ["XX-Flx", "XX-All"], "time": mid_months(2000 * 12, 12), "lat": ("site", [50.0, 50.0])},
    )
    towers["in_record"] = (("site", "time"), np.ones((2, 12), bool))
    completed = complete_drivers(towers, 0.3)
    assert completed.dataset["site"].values.tolist() == ["XX-All"]
    assert "site XX-Flx lacks air_temperature in 12 of 12 months" in completed.dropped["XX-Flx"]
    forcing = xr.Dataset(
        {"air_temperature": (("cell", "time"), np.full((1, 12), 280.0))},
        coords={"cell": [7], "time": mid_months(2000 * 12, 12), "soil_property": ["L"]},
    )
    placed = towers.assign_coords(cell=("site", [7, 7]))
    of_cells = drivers_from_cells(placed, forcing).dataset
    assert of_cells["site"].values.tolist() == ["XX-Flx", "XX-All"] and (of_cells["air_temperature"] == 280).all()
