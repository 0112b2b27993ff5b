"""Folders of tower files become one Dataset, one processing per site."""

import logging
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from ingest_samples import flx_name, synthetic_extract, synthetic_monthly, write_bif

from dere.config.towers import TowerSource
from dere.harmonise.axis import on_calendar_years
from dere.ingest.checks import daily_top_of_atmosphere
from dere.ingest.tower.bif import read_bif
from dere.ingest.tower.towers import read_towers
from dere.io import file_sha256, read_netcdf, write_netcdf
from dere.world.write_towers import bif_table

BIF = "FLX_AA-Flx_BIF_MM_20260101.csv"


def put(folder, name, table):
    folder.mkdir(exist_ok=True, parents=True)
    table.to_csv(folder / name, index=False)


@pytest.fixture
def folder(tmp_path):
    """Two towers of the FLUXNET family, one of them also in the extract, and a third only there."""
    put(tmp_path, flx_name("AA-Syn"), synthetic_monthly())
    put(tmp_path, flx_name("BB-Syn", 2002, 3), synthetic_monthly(2002, 3, lat=-40.0))
    put(tmp_path / "extract", "AA-Syn_MM.csv", synthetic_extract("AA-Syn"))
    put(tmp_path / "extract", "CC-Syn_MM.csv.gz", synthetic_extract("CC-Syn"))
    write_bif(tmp_path / BIF, {"AA-Syn": (51.0, 10.0, "ENF"), "BB-Syn": (-40.0, 170.0, "EBF")})
    return tmp_path


def test_common_axis_and_records(folder):
    towers, _, _ = read_towers([folder], TowerSource())
    assert towers.site.values.tolist() == ["AA-Syn", "BB-Syn", "CC-Syn"]
    assert towers.sizes["time"] == 48
    assert towers.in_record.sum("time").values.tolist() == [24, 36, 24]
    assert str(towers.time.values[0])[:10] == "2001-01-16"
    outside = towers.where(~towers.in_record)
    assert not np.isfinite(outside["air_temperature"]).any()
    assert np.isfinite(towers.nee.sel(site="BB-Syn").values[12:]).all()


def test_newest_processing_is_taken_whole(folder):
    towers, provenance, _ = read_towers([folder], TowerSource(use_satellites=False))
    a = towers.sel(site="AA-Syn")
    assert np.isfinite(a.reco_nt.values[:24]).all()
    assert np.isnan(towers.reco_nt.sel(site="CC-Syn")).all()
    assert a.processing.item() == "fluxnet2015 FULLSET 1-4"
    roles = provenance.set_index("file")["role"]
    assert roles["AA-Syn_MM.csv"] == f"superseded by {flx_name('AA-Syn')}"
    assert roles[flx_name("AA-Syn")] == "fluxes and drivers"
    assert roles[BIF] == "metadata"


def test_satellites_only_where_wanted(folder):
    without, _, _ = read_towers([folder], TowerSource(use_satellites=False))
    assert np.isnan(without.lai_satellite).all()
    towers, provenance, _ = read_towers([folder], TowerSource(use_satellites=True))
    np.testing.assert_allclose(towers.lai_satellite.sel(site="AA-Syn").values[:12], np.arange(1, 13) / 2)
    assert np.isnan(towers.lai_satellite.sel(site="BB-Syn")).all()
    assert provenance.set_index("file").loc["AA-Syn_MM.csv", "role"].startswith("satellites only")


def test_coordinates_bif_before_own_before_table(folder):
    put(folder, "sites.csv", pd.DataFrame({"site": ["AA-Syn", "CC-Syn"], "lat": [1, 2], "lon": [3, 4], "igbp": "CRO"}))
    towers, _, _ = read_towers([folder], TowerSource())
    assert towers.lat.sel(site="AA-Syn") == 51.0 and towers.igbp.sel(site="AA-Syn") == "ENF"
    assert towers.lat.sel(site="CC-Syn") == 50.0 and towers.igbp.sel(site="CC-Syn") == "GRA"
    assert towers.koppen.values.tolist() == ["Temperate", "", "Temperate"]
    assert towers.elevation.sel(site="AA-Syn") == 120


def test_table_places_what_has_no_bif(tmp_path):
    put(tmp_path / "monthly", flx_name("AA-Syn"), synthetic_monthly())
    put(tmp_path, "sites.csv", pd.DataFrame({"site": ["AA-Syn"], "lat": [48.0], "lon": [4.0], "igbp": ["CRO"]}))
    towers, provenance, _ = read_towers([tmp_path], TowerSource())
    assert (towers.lat.item(), towers.igbp.item()) == (48.0, "CRO")
    assert provenance["coordinates_from"].iloc[0] == "sites.csv"


def test_site_without_coordinates_is_dropped_or_an_error(folder, caplog):
    put(folder, flx_name("DD-Syn"), synthetic_monthly())
    with caplog.at_level(logging.WARNING):
        towers, provenance, _ = read_towers([folder], TowerSource())
    assert "DD-Syn" not in towers.site.values
    assert "1 of 4 sites have no coordinates" in caplog.text
    assert provenance.set_index("file").loc[flx_name("DD-Syn"), "role"] == "dropped: no coordinates"
    with pytest.raises(ValueError, match=r"DD-Syn.*add a sites\.csv"):
        read_towers([folder], TowerSource(), missing_coordinates="error")


@pytest.mark.parametrize(
    ("lat", "lon"),
    [
        pytest.param(-51.0, 10.0, id="lost sign"),
        pytest.param(89.0, 10.0, id="polar night with sun"),
        pytest.param(10.0, 51.0, id="exchanged on Earth"),
    ],
)
def test_sunlight_contradicts_the_latitude(folder, lat, lon, caplog):
    write_bif(folder / BIF, {"AA-Syn": (lat, lon, "ENF"), "BB-Syn": (-40.0, 170.0, "EBF")})
    towers = read_towers([folder], TowerSource())
    assert re.search(r"site AA-Syn.*shortwave does not fit latitude.*; site AA-Syn is dropped", caplog.text)
    assert towers.dataset.site.values.tolist() == ["BB-Syn", "CC-Syn"]


def test_exchanged_coordinates_off_the_earth_are_found(tmp_path):
    put(tmp_path, flx_name("AU-Syn"), synthetic_monthly(lat=-35.0))
    put(tmp_path, "sites.csv", pd.DataFrame({"site": ["AU-Syn"], "lat": [148.0], "lon": [-35.0]}))
    with pytest.raises(ValueError, match="they look exchanged"):
        read_towers([tmp_path], TowerSource())


def test_top_of_atmosphere():
    equator, pole = daily_top_of_atmosphere(0.0), daily_top_of_atmosphere(90.0)
    assert equator.min() > 380 and equator.max() < 445
    assert pole[[0, 11]].max() == 0 and 480 < pole[5] < 535


def test_same_processing_twice(folder, caplog):
    put(folder / "copy", flx_name("AA-Syn"), synthetic_monthly())
    towers = read_towers([folder], TowerSource())
    assert re.search(r"site AA-Syn is in FLX_AA-Syn.*remove one of the files; site AA-Syn is dropped", caplog.text)
    assert towers.dataset.site.values.tolist() == ["BB-Syn", "CC-Syn"]


def test_two_codes_of_one_site(tmp_path):
    old, new = synthetic_monthly(), synthetic_monthly(2017, 4)
    for table in (old, new):  # no more sun than there is at 74.5 N
        table["SW_IN_F"] = table["SW_IN_ERA"] = 0.5 * daily_top_of_atmosphere(74.5)[table["TIMESTAMP"] % 100 - 1]
    put(tmp_path, flx_name("GL-ZaH"), old)
    put(tmp_path, flx_name("DK-ZaH", 2017, 4, release="beta-3"), new)
    write_bif(tmp_path / BIF, {"DK-ZaH": (74.5, -20.6, "GRA")})
    towers, _, merged = read_towers([tmp_path], TowerSource())
    assert merged["file"].tolist() == [flx_name("DK-ZaH", 2017, 4, release="beta-3"), flx_name("GL-ZaH")]
    assert merged["rank"].tolist() == [1, 2] and merged["used"].tolist() == [True, False]
    assert merged["reason"][1].startswith("icos-warm-winter-2020 FULLSET beta-3 (FLX_DK-ZaH")
    assert towers.site.values.tolist() == ["GL-ZaH"]
    assert towers.network.item() == "icos-ww" and int(towers.in_record.sum()) == 48


def test_a_site_of_both_icos_products_takes_warm_winter(tmp_path):
    """The older product is cited under its own name where it is used, and not at all where it is superseded."""
    drought, winter = (flx_name("AA-Syn", *years, release="beta-3") for years in ((2016, 3), (2016, 5)))
    only = flx_name("BB-Syn", 2016, 3, release="beta-3")
    for folder, name, years in (("drought", drought, 3), ("winter", winter, 5), ("drought", only, 3)):
        put(tmp_path / folder, name, synthetic_monthly(2016, years))
    write_bif(tmp_path / BIF, {"AA-Syn": (51.0, 10.0, "ENF"), "BB-Syn": (51.0, 11.0, "ENF")})
    towers, provenance, merged = read_towers([tmp_path], TowerSource())
    assert towers.network.values.tolist() == ["icos-ww", "icos-drought"]
    assert int(towers.in_record.sel(site="AA-Syn").sum()) == 60
    assert merged["used"].tolist() == [True, False] and merged["file"].tolist() == [winter, drought]
    rows = provenance.set_index("file")
    assert rows.loc[drought, "role"] == f"superseded by {winter}"
    assert rows.loc[only, "product"] == "ICOS Drought 2018" and "10.18160/YVR0-4898" in rows.loc[only, "citation"]
    assert "10.18160/2G60-ZHAK" not in rows.loc[only, "citation"]


def test_cover_tables_and_other_steps_are_passed_over(folder, caplog):
    for name in ("site_plant_types.csv", "site_age_weights.csv", flx_name("AA-Syn").replace("_MM_", "_DD_")):
        (folder / name).write_text("x\n1\n")
    (folder / "ICOSETC_BE-Vie_FLUXES_L2.csv").write_text("x\n1\n")
    (folder / "notes.csv").write_text("x\n1\n")
    with caplog.at_level(logging.WARNING):
        towers, provenance, _ = read_towers([folder], TowerSource())
    assert towers.sizes["site"] == 3
    assert "notes.csv: format not recognised" in caplog.text
    assert "site_plant_types" not in caplog.text and "ICOSETC" not in caplog.text
    assert provenance.set_index("file").loc["notes.csv", "role"] == "ignored"


@pytest.mark.parametrize("names", [(), ("readings.csv", "other.csv")])
def test_folder_without_tower_files(tmp_path, names):
    for name in names:
        (tmp_path / name).write_text("x\n1\n")
    with pytest.raises(ValueError, match=r"no table|2 tables of unknown format"):
        read_towers([tmp_path], TowerSource())


def test_folder_with_metadata_only_or_missing(tmp_path):
    write_bif(tmp_path / BIF, {"AA-Syn": (51.0, 10.0, "ENF")})
    with pytest.raises(ValueError, match="site metadata but no tower file"):
        read_towers([tmp_path], TowerSource())
    with pytest.raises(FileNotFoundError, match="is no folder"):
        read_towers([tmp_path / "absent"], TowerSource())


def test_predict_only_sites_pass(tmp_path):
    table = synthetic_monthly()
    table[[c for c in table if c.startswith(("NEE", "GPP", "RECO"))]] = -9999
    put(tmp_path, flx_name("AA-Syn"), table)
    write_bif(tmp_path / BIF, {"AA-Syn": (51.0, 10.0, "ENF")})
    towers, provenance, _ = read_towers([tmp_path], TowerSource())
    assert np.isnan(towers.nee).all() and bool(towers.in_record.all())
    assert provenance["nee_months"].iloc[0] == 0


def test_provenance_names_file_checksum_licence(folder):
    _, provenance, _ = read_towers([folder], TowerSource())
    row = provenance.set_index("file").loc[flx_name("BB-Syn", 2002, 3)]
    assert row["sha256"] == file_sha256(folder / flx_name("BB-Syn", 2002, 3))
    assert row["rows"] == 36 and row["first_month"] == "2002-01" and row["last_month"] == "2004-12"
    assert "CC-BY-4.0" in row["licence"] and "10.1038/s41597-020-0534-3" in row["citation"]
    assert not provenance[["file", "product", "sha256", "licence", "citation", "role"]].isna().any().any()


def test_interim_file_goes_and_comes_back(folder, tmp_path):
    towers, _, _ = read_towers([folder], TowerSource(use_satellites=True))
    again = read_netcdf(write_netcdf(towers, tmp_path / "interim" / "towers.nc"))
    for name in towers.data_vars:
        np.testing.assert_array_equal(again[name].values, towers[name].values)
    assert (again.time.values == towers.time.values).all()
    assert again.igbp.values.tolist() == towers.igbp.values.tolist()


def test_table_of_what_was_merged(folder):
    put(folder, flx_name("AA-Syn").replace("_MM_", "_DD_"), pd.DataFrame({"TIMESTAMP": [20010101]}))
    merged = read_towers([folder], TowerSource()).merged
    assert merged["site"].tolist() == ["AA-Syn"] * 3
    assert merged["used"].tolist() == [True, False, False]
    assert merged["reason"].tolist() == [
        "newest processing",
        f"fluxnet2015 FULLSET 1-4 ({flx_name('AA-Syn')}) is newer",
        "step MM of the same processing is read",
    ]
    assert merged["rank"].isna().tolist() == [False, False, True]


def test_climate_class_and_time_zone_of_bif_come_first(folder):
    with (folder / BIF).open("a") as bif:
        bif.write("AA-Syn;90;GRP_CLIM_AVG;CLIMATE_KOEPPEN;Dfb\nAA-Syn;91;GRP_UTC_OFFSET;UTC_OFFSET;1\n")
    towers = read_towers([folder], TowerSource()).dataset
    assert towers.koppen.values.tolist() == ["Dfb", "", "Temperate"]
    assert towers.utc_offset.values[0] == 1 and np.isnan(towers.utc_offset.values[1:]).all()


def test_the_built_in_world_states_its_climate_class(tmp_path):
    """The world's own metadata table, read back."""
    sites = SimpleNamespace(site=np.array(["XX-Syn"]), lat=np.array([50.0]), lon=np.array([10.0]))
    climate = SimpleNamespace(
        monthly={"air_temperature": np.full((1, 12), 8.0), "precipitation": np.full((1, 12), 2.0)},
        elevation=np.array([100.0]),
    )
    (tmp_path / BIF).write_text(bif_table(sites, ["ENF"], ["Cfb"], climate), encoding="latin-1")
    row = read_bif(tmp_path / BIF).loc["XX-Syn"]
    assert (row.koppen, row.igbp, row.utc_offset) == ("Cfb", "ENF", 1)


def test_diurnal_cycles_arrive_in_the_interim_file(folder, tmp_path):
    hours = pd.date_range("2001-01-01", "2002-01-01", freq="60min", inclusive="left")
    table = synthetic_monthly(2001, 1).iloc[np.asarray(hours.month) - 1].reset_index(drop=True)
    table.insert(0, "TIMESTAMP_START", hours.strftime("%Y%m%d%H%M").astype(int))
    table[[c for c in table if c.endswith("_QC")]] = 0
    table["WS_F"] = 2 + hours.hour / 10
    table["P_F"] = table["P_ERA"] = 0.1
    put(folder, flx_name("HH-Syn", 2001, 1).replace("_MM_", "_HR_"), table.drop(columns="TIMESTAMP"))
    put(folder, "sites.csv", pd.DataFrame({"site": ["HH-Syn"], "lat": [50.0], "lon": [3.0]}))
    towers = read_towers([folder], TowerSource()).dataset
    assert towers.wind_hourly.dims == ("site", "time", "hour") and towers.wind_hourly.attrs["units"] == "m s-1"
    np.testing.assert_allclose(towers.wind_hourly.sel(site="HH-Syn").values[5], 2 + np.arange(24) / 10)
    assert np.isnan(towers.wind_hourly.sel(site="AA-Syn")).all()
    assert towers.nee_measured_share.sel(site="HH-Syn").values[0] == 1
    again = read_netcdf(write_netcdf(towers, tmp_path / "interim" / "towers.nc"))
    np.testing.assert_array_equal(again.wind_hourly.values, towers.wind_hourly.values)
    assert on_calendar_years(again).wind_hourly.shape == (4, 48, 24)


def test_a_link_back_to_its_own_folder_ends(folder):
    (folder / "extract" / "again").symlink_to(folder, target_is_directory=True)
    assert read_towers([folder], TowerSource()).dataset.sizes["site"] == 3
