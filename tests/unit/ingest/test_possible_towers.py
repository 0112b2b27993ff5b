"""No reader of towers lets a mark of missing values or an impossible number into a month.

Kinds seen in public: fluxnet/shuttle#108 and EarthyScience/REddyProc#59 (-9999.9, -99999 beside -9999).
"""

import gzip
import io
import sqlite3
import zipfile

import numpy as np
import pandas as pd
import pytest
import zarr
from collection_samples import (
    abcflux,
    ch4_half_hourly,
    fluxcourse,
    six_forests,
    write_carbonsense_sql,
    write_carbonsense_v1,
    write_store,
)
from ingest_samples import flx_name, synthetic_extract, synthetic_monthly

from dere.config.towers import TowerSource
from dere.harmonise.labels import make_labels
from dere.ingest.source import sources
from dere.ingest.tower.bundled import TABLE
from dere.ingest.tower.bundled.table import parse as parse_bundled
from dere.ingest.tower.record import possible_months
from dere.ingest.tower.towers import read_towers
from dere.resources import TOWERS

CONFIG = TowerSource(resolution=("MM", "DD", "HH", "HR"), diurnal_cycles=True, members=True)
CODES = (-999, -6999, -9999.9, -99999, 1e20, 9.96921e36, np.inf)
HALF_HOURS = "ICOSETC_XX-Syn_FLUXNET_HH_L2.csv"


def read(path, config=CONFIG):
    """Records of a file, by site, as `read_towers` takes them."""
    name = str(path.relative_to(path.parents[1]))
    (source,) = (s for s in sources() if s.kind == "tower" and s.matches(name))
    return {record.site: possible_months(record) for record in source.reader()(path, config)}


def monthly(folder, **columns):
    """Towers of one monthly file with some rows of columns changed."""
    table = synthetic_monthly()
    for name, (rows, value) in columns.items():
        table[name] = table[name].astype(float)
        table.loc[rows, name] = value
    (folder / "sites.csv").write_text("site,lat,lon,igbp\nXX-Syn,50,11,ENF\n")
    table.to_csv(folder / flx_name("XX-Syn"), index=False)
    return read_towers([folder], CONFIG)


def half_hours():
    """Invented half hours of one January under the names of the FLUXNET family."""
    begin = pd.date_range("2001-01-01", "2001-02-01", freq="30min", inclusive="left")
    sun = np.maximum(0, np.cos(2 * np.pi * (begin.hour + begin.minute / 60 - 12) / 24))
    table = pd.DataFrame({"TIMESTAMP_START": begin.strftime("%Y%m%d%H%M").astype(int)})
    weather = {"TA": 5 + 3 * sun, "SW_IN": 400 * sun, "LW_IN": 300.0, "VPD": 2.0, "PA": 98.0, "P": 0.05, "WS": 3.0}
    for stem, values in weather.items():
        table[f"{stem}_F"] = values
    table["CO2_F_MDS"], table["NEE_VUT_REF_QC"] = 390.0, 0.0
    table["GPP_NT_VUT_REF"], table["RECO_NT_VUT_REF"] = 8 * sun, 2.0
    table["NEE_VUT_REF"] = table["RECO_NT_VUT_REF"] - table["GPP_NT_VUT_REF"]
    return table


def packed_as(form, table, folder):
    """Path of a table in one of the ways in which tables come."""
    text = table.to_csv(index=False).encode()
    if form == "csv.gz":
        path = folder / f"{HALF_HOURS}.gz"
        path.write_bytes(gzip.compress(text))
    elif form == "xlsx":
        path = folder / HALF_HOURS.replace(".csv", ".xlsx")
        table.to_excel(path, index=False)
    else:
        path = folder / HALF_HOURS
        path.write_bytes(text)
    return path


@pytest.mark.parametrize("code", CODES)
def test_no_mark_becomes_a_month_whatever_the_column(code, tmp_path):
    found = monthly(tmp_path, **{name: ([3], code) for name in ("NEE_VUT_REF", "TA_F", "TA_ERA", "WS_F", "CO2_F_MDS")})
    for name in ("nee", "air_temperature", "air_temperature_reanalysis", "wind", "co2"):
        assert np.flatnonzero(np.isnan(found.dataset[name].values[0])).tolist() == [3], name
    assert found.dataset["impossible"].values[0].startswith("nee:1 air_temperature:1 air_temperature_reanalysis:1")
    row = found.provenance[found.provenance["site"] == "XX-Syn"].iloc[0]
    assert "wind:1 co2:1" in row["impossible"]


@pytest.mark.parametrize("code", [*CODES, 1e30, 40.0])
def test_impossible_nee_is_no_label_where_the_file_has_no_reco(code, tmp_path):
    nothing = (slice(None), np.nan)
    towers = monthly(tmp_path, NEE_VUT_REF=([5], code), RECO_NT_VUT_REF=nothing, RECO_DT_VUT_REF=nothing).dataset
    flux = make_labels(towers).dataset["flux_value"].values[0]
    assert np.isnan(flux[5]).all() and np.isfinite(np.delete(flux, 5, 0)).all()


def test_a_fitting_triple_beyond_every_month_is_no_label(tmp_path, caplog):
    """GPP 60, RECO 100 and NEE 40 close, and lie within what a half hour can be."""
    towers = monthly(tmp_path, GPP_NT_VUT_REF=([5], 60), RECO_NT_VUT_REF=([5], 100), NEE_VUT_REF=([5], 40)).dataset
    assert np.isnan(make_labels(towers).dataset["flux_value"].values[0, 5]).all()
    assert "XX-Syn: column gpp_nt: 1 of 24 values count as missing" in caplog.text


def test_a_derived_reco_beyond_every_month_costs_gpp_and_reco(tmp_path):
    nothing = (slice(None), np.nan)
    towers = monthly(tmp_path, GPP_NT_VUT_REF=([5], 40), NEE_VUT_REF=([5], 20), RECO_NT_VUT_REF=nothing).dataset
    labels = make_labels(towers)
    assert np.isfinite(labels.dataset["flux_value"].values[0, 5]).tolist() == [False, False, True]
    assert labels.counts.query("step == 'labels' and reason == 'impossible'")["months"].tolist() == [1]


def test_a_column_full_of_marks_is_no_variant(tmp_path):
    table = synthetic_monthly()
    table["GPP_NT_VUT_REF"] = -9999.9
    table["GPP_NT_CUT_REF"], table["NEE_CUT_REF"] = 4.0, -1.0
    path = tmp_path / flx_name("XX-Syn")
    table.to_csv(path, index=False)
    assert read(path)["XX-Syn"].variant == "CUT_REF"


def test_a_column_of_true_and_false_is_no_column_of_numbers(tmp_path):
    path = tmp_path / flx_name("XX-Syn")
    synthetic_monthly().assign(WS_F=True).to_csv(path, index=False)
    with pytest.raises(ValueError, match="column WS_F holds 'True' in data row 1"):
        read(path)


@pytest.mark.parametrize("form", ["csv", "csv.gz", "xlsx"])
def test_a_half_hour_without_a_value_enters_no_month(form, tmp_path):
    good = half_hours()
    table = good.copy()
    # a CO2 of 0 is a gap that a compiler wrote as a number
    marks = {"TA_F": -9999.9, "NEE_VUT_REF": -99999.0, "SW_IN_F": 1e20, "P_F": -999.0, "CO2_F_MDS": 0.0}
    for name, code in marks.items():
        table.loc[5, name] = code
    table.loc[6, "NEE_VUT_REF_QC"] = -9999.9
    record = read(packed_as(form, table, tmp_path))["XX-Syn"]
    rest = good.drop(index=5)
    assert record.values["air_temperature"][0] == pytest.approx(rest["TA_F"].mean(), rel=1e-6)
    assert record.values["shortwave"][0] == pytest.approx(rest["SW_IN_F"].mean(), rel=1e-6)
    assert record.values["precipitation"][0] == pytest.approx(2.4) and record.values["co2"][0] == pytest.approx(390)
    assert record.values["nee"][0] == pytest.approx(rest["NEE_VUT_REF"].mean() * 1.0377504, rel=1e-5)
    steps = len(good)
    assert record.values["nee_coverage"][0] == pytest.approx(1 - 1 / steps)
    assert record.values["nee_measured_share"][0] == pytest.approx(1 - 1 / steps)
    assert record.diurnal["air_temperature_hourly"][0].min() == pytest.approx(5)
    assert record.impossible == {
        name: 1 for name in ("nee", "nee_quality", "air_temperature", "precipitation", "shortwave", "co2")
    }


def test_an_archive_is_read_by_the_same_rule(tmp_path):
    table = half_hours()
    table.loc[5, "TA_F"] = -9999.9
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(HALF_HOURS, table.to_csv(index=False))
        archive.writestr("sites.csv", "site,lat,lon,igbp\nXX-Syn,50,11,ENF\n")
    (tmp_path / "fluxnet.zip").write_bytes(content.getvalue())
    (tmp_path / "sites.csv").write_text("site,lat,lon,igbp\nXX-Syn,50,11,ENF\n")
    towers = read_towers([tmp_path], CONFIG).dataset
    assert towers["air_temperature"].values[0, 0] == pytest.approx(half_hours()["TA_F"].drop(5).mean(), rel=1e-6)
    assert towers["impossible"].values.tolist() == ["air_temperature:1"]


def test_flux_collections_of_half_hours_and_days(tmp_path):
    methane = ch4_half_hourly()
    methane.loc[9, "TA_F"], methane.loc[9, "SW_IN_F"], methane.loc[9, "NEE_F"] = -9999.9, 1e20, -999
    forests, course = six_forests(), fluxcourse()
    forests.loc[10, "NEE_U50"], forests.loc[11, "GPP_U50"] = -9999.9, 90
    course.loc[10, "NEE_gC_m2_day"] = -99999
    methane.to_csv(tmp_path / "FLX_XX-Syn_FLUXNET-CH4_HH_2014-2014_1-1.csv", index=False)
    forests.to_csv(tmp_path / "daily_carbon_uptake.csv", index=False)
    course.to_csv(tmp_path / "obs_XX-Syn_daily.csv", index=False)
    record = read(tmp_path / "FLX_XX-Syn_FLUXNET-CH4_HH_2014-2014_1-1.csv")["XX-Syn"]
    january = ch4_half_hourly()[: 31 * 48].drop(index=9)
    assert record.values["air_temperature"][0] == pytest.approx(january["TA_F"].mean())
    assert record.values["nee"][0] == pytest.approx(january["NEE_F"].mean() * 1.0377504)
    assert record.diurnal["air_temperature_hourly"].min() == pytest.approx(5)
    assert record.impossible == {"air_temperature": 1, "shortwave": 1, "failed_fits": 1}
    forest = read(tmp_path / "daily_carbon_uptake.csv")["US-Syn"]
    assert forest.values["nee"][0] == pytest.approx(-2) and forest.values["gpp_nt"][0] == pytest.approx(3)
    assert forest.impossible == {"gpp_nt": 1, "failed_fits": 1}
    daily = read(tmp_path / "obs_XX-Syn_daily.csv")["XX-Syn"]
    # the factor is still found in the digits of the others
    assert daily.values["nee"][0] == pytest.approx(fluxcourse()["NEE_gC_m2_day"][1:31].drop(10).mean() / 1.0368)


@pytest.mark.parametrize("code", [-9999.9, 9e999, -999])
def test_scaled_weather_stays_scaled_beside_a_mark(code, tmp_path):
    path = write_carbonsense_v1(tmp_path)
    good = read(path)["XX-Syn"].values["air_temperature"]
    file = next(path.rglob("predictors.csv"))
    table = pd.read_csv(file)
    table.loc[5, "TA_F"] = code
    table.to_csv(file, index=False)
    record = read(path)["XX-Syn"]
    np.testing.assert_allclose(record.values["air_temperature"], good, atol=0.05)
    assert record.impossible["air_temperature"] == 1

    database = write_carbonsense_sql(tmp_path / "carbonsense_v2.sql")
    good = read(database)["XX-Syn"].values["air_temperature"]
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE ec_data SET TA = ? WHERE id = 5", (code,))
    connection.close()
    np.testing.assert_allclose(read(database)["XX-Syn"].values["air_temperature"], good, atol=0.05)


def test_a_store_with_marks_that_it_does_not_state(tmp_path):
    path = write_store(tmp_path / "fluxnet2015.zarr", {"XX-Syn": 11.0}, {"XX-Syn": 1})
    good = read(path)["XX-Syn"]
    group = zarr.open_group(path, mode="r+")
    for name, odd in (("ta", -9999.9), ("nee_qc", -999.0)):
        stored, about = np.asarray(group[name]), dict(group[name].attrs)
        values = np.where(stored == 65535, 65535, stored * about.pop("scale_factor") + about.pop("add_offset"))
        values[0, np.flatnonzero(stored[0] != 65535)[40]] = odd
        del group[name]
        group.create_array(name, data=values, fill_value=65535.0).attrs.update(about)
    record = read(path)["XX-Syn"]
    np.testing.assert_allclose(record.values["air_temperature"], good.values["air_temperature"], atol=0.01)
    np.testing.assert_allclose(record.values["nee_quality"], good.values["nee_quality"], atol=0.001)
    assert record.impossible == {"air_temperature": 1, "nee_quality": 1}


def test_sums_of_months_and_the_extract(tmp_path):
    rows = abcflux(2)
    rows.loc[[0, 2], "gpp"], rows.loc[4, "nee"], rows.loc[6, "gap_fill_perc_nee"] = -999.0, 1e6, -999.9
    rows.fillna("NA").to_csv(tmp_path / "Arctic_Boreal_CO2_Flux_V2.csv", index=False)
    record = read(tmp_path / "Arctic_Boreal_CO2_Flux_V2.csv")["XX-Syn"]
    assert np.isnan(record.values["gpp_nt"][:2]).all() and record.values["gpp_nt"][2] < 5
    assert np.nanmax(np.abs(record.values["nee"])) < 5 and record.impossible == {"nee": 1, "gpp": 2}
    table = synthetic_extract("XX-Syn")
    table["LAI"] = table["LAI"].astype(float)
    table.loc[0, "LAI"], table.loc[1, "EVI"], table.loc[2, "NEE_VUT_REF"] = 25.5, -0.3, -999.9
    table.to_csv(tmp_path / "XX-Syn_MM.csv", index=False)
    record = read(tmp_path / "XX-Syn_MM.csv")["XX-Syn"]
    assert record.impossible == {"nee": 1, "lai_satellite": 1, "evi_satellite": 1}
    assert np.isnan(record.values["lai_satellite"][0]) and np.nanmax(record.values["lai_satellite"]) <= 6


def test_a_satellite_series_that_never_varies_is_missing(caplog):
    """EVI of RU-Cok is 0 in all 144 months of the compilation, while its LAI reaches 1.7."""
    (record,) = parse_bundled(pd.read_csv(TOWERS / TABLE).query("Site == 'RU-Cok'"), "t.csv")
    assert (record.values["evi_satellite"] == 0).all()
    found = possible_months(record)
    assert np.isnan(found.values["evi_satellite"]).all() and found.impossible == {"evi_satellite": 144}
    np.testing.assert_array_equal(found.values["lai_satellite"], record.values["lai_satellite"])
    assert "evi_satellite is 0 in all months, which leaves never are; it is missing" in caplog.text
