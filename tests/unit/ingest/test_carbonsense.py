"""CarbonSense v1: folders of one site, scaled weather, NEE of measured hours only."""

import json

import numpy as np
import pandas as pd
import pytest
from collection_samples import FACTOR, V1_NAMES, hourly, scale, write_carbonsense_v1

from dere.config.towers import TowerSource
from dere.ingest.tower.carbonsense import is_site_folder
from dere.ingest.tower.carbonsense.site import unscaled_weather
from dere.ingest.tower.carbonsense.site_folder import read_carbonsense_site

CONFIG = TowerSource()
PERIOD = "2010-01-01_2010-12-31"


def read(folder, config=CONFIG):
    (record,) = read_carbonsense_site(folder, config)
    return record


def test_scaled_weather_comes_back_in_units(tmp_path):
    record = read(write_carbonsense_v1(tmp_path))
    truth = hourly({})
    names = {"air_temperature": "TA", "shortwave": "SW_IN", "longwave": "LW_IN", "vpd": "VPD", "pressure": "PA"}
    for name, column in {**names, "wind": "WS", "co2": "CO2"}.items():
        np.testing.assert_allclose(record.values[name], truth[column].mean(), rtol=1e-9, err_msg=name)
    np.testing.assert_allclose(record.values["precipitation"], 2.4)
    assert (record.site, record.lat, record.lon, record.igbp) == ("XX-Syn", 50.0, 8.0, "ENF")


@pytest.mark.parametrize("names", [{}, V1_NAMES])
def test_scaling_is_told_from_units(names):
    truth = hourly(names)
    pd.testing.assert_frame_equal(unscaled_weather(scale(truth), "x"), unscaled_weather(truth, "x"))


def test_nee_of_measured_hours_is_replaced_for_the_whole_record(tmp_path, caplog):
    record = read(write_carbonsense_v1(tmp_path))
    truth = hourly({})
    np.testing.assert_allclose(record.values["nee"], (truth["RECO_NT"] - truth["GPP_NT"]).mean() * FACTOR)
    np.testing.assert_allclose(record.values["nee_coverage"], 16 / 24)
    assert "1 months of nee as reco minus gpp" in caplog.text


def test_complete_nee_is_kept(tmp_path):
    folder = write_carbonsense_v1(tmp_path)
    table = pd.read_csv(folder / PERIOD / "targets.csv")
    table["NEE_VUT_REF"] = -1.0
    table.to_csv(folder / PERIOD / "targets.csv", index=False)
    record = read(folder)
    np.testing.assert_allclose(record.values["nee"], -FACTOR)
    assert "months_of_nee_as_reco_minus_gpp" not in record.counts


def test_quality_is_not_trusted(tmp_path):
    assert np.isnan(read(write_carbonsense_v1(tmp_path)).values["nee_quality"]).all()


def test_periods_of_a_site_become_one_record(tmp_path):
    folder = write_carbonsense_v1(tmp_path)
    write_carbonsense_v1(tmp_path / "later", period="2012-01-01_2012-12-31")
    later = tmp_path / "later" / "carbonsense" / "XX-Syn" / "2012-01-01_2012-12-31"
    for name in ("targets.csv", "predictors.csv"):
        table = pd.read_csv(later / name)
        table["timestamp"] = table["timestamp"].str.replace("2010", "2012")
        table.to_csv(later / name, index=False)
    later.rename(folder / later.name)
    moved = {"SITE_ID": "XX-Syn", "LOCATION_LAT": 41.5, "LOCATION_LON": 11.5}
    (folder / later.name / "meta.json").write_text(json.dumps(moved))
    record = read(folder)
    assert record.months.tolist() == [2010 * 12, 2012 * 12]
    # the place of the later period, the class of the earlier, which alone states one
    assert (record.lat, record.lon, record.igbp) == (41.5, 11.5, "ENF")


def test_diurnal_cycles_are_local_hours(tmp_path):
    cycle = read(write_carbonsense_v1(tmp_path), TowerSource(diurnal_cycles=True)).diurnal["shortwave_hourly"]
    sun = np.maximum(0, np.cos(2 * np.pi * (np.arange(24) - 12) / 24))
    np.testing.assert_allclose(cycle[0], 400 * sun, atol=1e-6)


def test_pickles_are_never_opened(tmp_path):
    read(write_carbonsense_v1(tmp_path))
    assert not (tmp_path / "opened").exists()


def test_hours_that_are_not_to_be_read_give_nothing(tmp_path):
    assert read_carbonsense_site(write_carbonsense_v1(tmp_path), TowerSource(resolution=("MM",))) == []


def test_months_without_enough_hours_give_nothing(tmp_path):
    folder = write_carbonsense_v1(tmp_path)
    for name in ("targets.csv", "predictors.csv"):
        pd.read_csv(folder / PERIOD / name).iloc[:200].to_csv(folder / PERIOD / name, index=False)
    assert read_carbonsense_site(folder, CONFIG) == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("carbonsense/XX-Syn", True),
        ("towers/carbonsense_v1/data/XX-Syn", True),
        ("towers/XX-Syn", False),
        ("carbonsense", False),
        ("carbonsense/XX-Syn/2010-01-01_2010-12-31", False),
    ],
)
def test_folders_of_sites(path, expected):
    assert is_site_folder(path) is expected


def rewrite(folder, name, edit):
    path = folder / PERIOD / name
    edit(pd.read_csv(path)).to_csv(path, index=False)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda f: (f / PERIOD).rename(f / "all"), "has no folder named"),
        (lambda f: (f / PERIOD / "targets.csv").write_text(""), "is empty"),
        (lambda f: rewrite(f, "targets.csv", lambda t: t.drop(columns="timestamp")), "has no column timestamp"),
        (lambda f: rewrite(f, "targets.csv", lambda t: t.assign(timestamp="soon")), "which is no time written"),
        (lambda f: rewrite(f, "targets.csv", lambda t: t.iloc[:-3]), "at other times"),
        (lambda f: rewrite(f, "predictors.csv", lambda t: t.assign(TA_F="warm")), "column TA_F holds 'warm'"),
        (lambda f: (f / PERIOD / "meta.json").write_text("{"), "is no JSON"),
        (lambda f: (f / PERIOD / "meta.json").write_text("[1]"), "is of site 'list'"),
        (lambda f: (f / PERIOD / "meta.json").write_text('{"SITE_ID": "YY-Oth"}'), "is of site 'YY-Oth'"),
        (
            lambda f: (f / PERIOD / "meta.json").write_text('{"SITE_ID": "XX-Syn", "LOCATION_LAT": "north"}'),
            "LOCATION_LAT is 'north'",
        ),
    ],
)
def test_bad_folders_end_in_one_sentence(tmp_path, damage, sentence):
    folder = write_carbonsense_v1(tmp_path)
    damage(folder)
    with pytest.raises(ValueError, match=sentence):
        read_carbonsense_site(folder, CONFIG)


@pytest.mark.parametrize("name", ["targets.csv", "predictors.csv", "meta.json"])
def test_missing_files_are_named(tmp_path, name):
    folder = write_carbonsense_v1(tmp_path)
    (folder / PERIOD / name).unlink()
    with pytest.raises(FileNotFoundError, match=name):
        read_carbonsense_site(folder, CONFIG)


def test_unknown_place_is_missing(tmp_path):
    folder = write_carbonsense_v1(tmp_path)
    (folder / PERIOD / "meta.json").write_text(json.dumps({"SITE_ID": "XX-Syn", "LOCATION_LAT": None}))
    record = read(folder)
    assert np.isnan(record.lat) and np.isnan(record.lon) and record.igbp == ""
