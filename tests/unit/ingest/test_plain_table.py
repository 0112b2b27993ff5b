"""Plain tables of sites: what they must have, units in their headers, and which files are any."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.config.towers import TowerSource
from dere.ingest.tower.claims import known_sources
from dere.ingest.tower.plain_table import parse_plain, plain_source, read_plain
from dere.ingest.tower.towers import read_towers

MONTHS = 24


def plain(site="ZZ-One", lat=51.0, **columns):
    """Two years of a temperate forest."""
    season = -np.cos(2 * np.pi * np.arange(MONTHS) / 12)
    given = {
        "site": site,
        "month": [f"{2001 + n // 12}-{n % 12 + 1:02d}" for n in range(MONTHS)],
        "lat": lat,
        "lon": 10.5,
        "igbp": "DBF",
        "air_temperature": 9 + 10 * season,
        "precipitation": 2.1,
        "shortwave": 140 + 100 * season,
        "longwave": 310 + 30 * season,
        "vpd": 5 + 3 * season,
        "pressure": 96.0,
        "wind": 3.0,
    }
    return pd.DataFrame({**given, **columns})


def parsed(table):
    return parse_plain(table, "mine.csv", TowerSource())


def test_a_site_without_fluxes_is_a_record_of_its_drivers():
    (record,) = parsed(plain())
    assert (record.site, record.lat, record.lon, record.igbp) == ("ZZ-One", 51.0, 10.5, "DBF")
    assert record.months[0] == 2001 * 12 and len(record.months) == MONTHS
    np.testing.assert_allclose(record.values["air_temperature"], plain()["air_temperature"])
    assert np.isnan(record.values["nee"]).all() and not record.has_satellites


def test_fluxes_and_satellites_come_along():
    (record,) = parsed(plain(nee=-1.0, gpp=4.0, reco=3.0, lai_satellite=2.5, evi_satellite=0.4))
    assert record.values["gpp_nt"][3] == 4.0 and record.values["nee_quality"][3] == 1.0 and record.has_satellites


def test_a_header_may_state_the_unit():
    given = plain()
    kelvin = given.assign(**{"air_temperature [K]": given["air_temperature"] + 273.15, "vpd (kPa)": given["vpd"] / 10})
    (record,) = parsed(kelvin.drop(columns=["air_temperature", "vpd"]))
    np.testing.assert_allclose(record.values["air_temperature"], given["air_temperature"])
    np.testing.assert_allclose(record.values["vpd"], given["vpd"])


@pytest.mark.parametrize("months", [lambda t: t.str.replace("-", ""), lambda t: t + "-15"])
def test_months_are_read_as_people_write_them_in_any_order(months):
    given = plain()
    (record,) = parsed(given.assign(month=months(given["month"])).iloc[::-1])
    np.testing.assert_allclose(record.values["air_temperature"], given["air_temperature"])


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (lambda t: t.drop(columns="lat"), "mine.csv has no column lat among its 11 columns"),
        (lambda t: t.drop(columns="month"), "has no column month"),
        (lambda t: t.iloc[:0], "has a header and no rows"),
        (lambda t: t.assign(site=[None] * 3 + ["ZZ"] * 21), r"3 rows have no site \(first: data row 1\)"),
        (lambda t: t.assign(month="soon"), "ZZ-One: month 'soon' is none; write months as 2001-07"),
        (lambda t: pd.concat([t, t.tail(1)]), "month 2002-12 occurs more than once"),
        (lambda t: t.assign(lat=np.nan), "column lat holds no number, but one number is expected"),
        (lambda t: t.assign(lon=[1.0, 2.0] * 12), "column lon holds 1 and 2, but one number is expected"),
        (lambda t: t.assign(igbp=["DBF", "GRA"] * 12), "column igbp holds DBF and GRA, but one class"),
        (lambda t: t.assign(air_temperature=t["air_temperature"] + 273.15), "median .* it looks like K: convert"),
        (lambda t: t.rename(columns={"vpd": "vpd [furlong]"}), "vpd has unit 'furlong'"),
        (lambda t: t.assign(wind="calm"), "column wind holds 'calm' in data row 1"),
        (lambda t: t.assign(**{"wind [m s-1]": 3.0}), "has 2 columns wind, but one is expected"),
    ],
)
def test_a_wrong_table_is_a_sentence(changed, sentence):
    with pytest.raises(ValueError, match=sentence):
        parsed(changed(plain()))


def test_a_fault_of_one_site_costs_that_site():
    record, fault = parsed(pd.concat([plain(), plain("ZZ-Two", lat=np.nan)]))
    assert record.site == "ZZ-One" and fault.site == "ZZ-Two" and "column lat" in fault.sentence


def test_arrays_over_site_and_time_are_the_same_table(tmp_path):
    given = plain()
    time = pd.to_datetime(given["month"] + "-15")
    names = ["air_temperature", "precipitation", "shortwave", "longwave", "vpd", "pressure", "wind"]
    data = {name: (("site", "time"), given[name].to_numpy()[None]) for name in names}
    dataset = xr.Dataset(data, {"site": ["ZZ-One"], "time": time, "lat": ("site", [51.0]), "lon": ("site", [10.5])})
    dataset["air_temperature"] = (dataset["air_temperature"] + 273.15).assign_attrs(units="K")
    path = tmp_path / "mine.nc"
    dataset.to_netcdf(path)
    (record,) = read_plain(path, TowerSource())
    np.testing.assert_allclose(record.values["air_temperature"], given["air_temperature"])
    assert (record.lat, record.igbp) == (51.0, "")
    dataset.rename(site="station").to_netcdf(path)
    with pytest.raises(ValueError, match=r"mine.nc has the dimensions station, time, but site and time are expected"):
        read_plain(path, TowerSource())


def test_only_files_with_the_columns_and_without_another_owner_are_plain(tmp_path):
    among = known_sources()
    # the name of a table of sites, which the command's argument invites
    plain().to_csv(tmp_path / "sites.csv", index=False)
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    plain().to_csv(tmp_path / "FLX_XX-One_FLUXNET2015_FULLSET_MM_2001-2002_1-4.csv", index=False)
    source = plain_source([tmp_path], among)
    assert [name for name in ("sites.csv", "other.csv") if source.matches(name)] == ["sites.csv"]
    assert plain_source([tmp_path / "other.csv"], among) is None
    found = read_towers([tmp_path / "sites.csv"], TowerSource(), among=[source, *among]).dataset
    assert list(found["site"].values) == ["ZZ-One"] and str(found["igbp"].item()) == "DBF"
