"""FLUXNET-CH4 daily and half-hourly files."""

import numpy as np
import pytest
from collection_samples import FACTOR, ch4_daily, ch4_half_hourly

from dere.config.towers import TowerSource
from dere.ingest.tower.fluxnet_ch4 import SOURCES
from dere.ingest.tower.fluxnet_ch4.table import parse, read_fluxnet_ch4

DAILY = "FLX_XX-Syn_FLUXNET-CH4_DD_2014-2014_1-1.csv"
HALF = "FLX_XX-Syn_FLUXNET-CH4_HH_2014-2014_1-1.csv"
CONFIG = TowerSource(minimum_coverage=0.6)


def one(table, name=DAILY, config=CONFIG):
    (record,) = parse(table, name, name, config)
    return record


def test_daily_means_in_gc_per_day():
    table = ch4_daily()
    record = one(table)
    july = table[table["TIMESTAMP"] // 100 == 201407]
    at = record.months.tolist().index(2014 * 12 + 6)
    finite = july["GPP_NT"][np.isfinite(july["GPP_NT"])]
    assert len(finite) == 30
    np.testing.assert_allclose(record.values["gpp_nt"][at], finite.mean() * FACTOR)
    np.testing.assert_allclose(record.values["nee"][at], july["NEE_F"].mean() * FACTOR)
    np.testing.assert_allclose(record.values["precipitation"], 1.5)
    assert record.counts["runaway_fluxes"] == 1 and len(record.months) == 12


def test_coverage_decides_about_a_month_with_a_gap():
    march = 2
    assert np.isfinite(one(ch4_daily()).values["nee"][march])
    strict = one(ch4_daily(), config=TowerSource(minimum_coverage=0.8))
    assert np.isnan(strict.values["nee"][march]) and strict.counts["months_below_coverage"] == 1


def test_daily_quality_is_the_share_of_days_with_measured_nee():
    quality = one(ch4_daily()).values["nee_quality"]
    np.testing.assert_allclose(quality[0], 23 / 31)
    assert quality[2] < 21 / 31


def test_half_hours():
    record = one(ch4_half_hourly(), HALF, TowerSource(diurnal_cycles=True))
    sun = np.maximum(0, np.cos(2 * np.pi * (np.arange(48) / 2 - 12) / 24))
    np.testing.assert_allclose(record.values["gpp_nt"], 8 * sun.mean() * FACTOR)
    np.testing.assert_allclose(record.values["precipitation"], 0.05 * 48)
    np.testing.assert_allclose(record.values["nee_quality"], 0.5)
    np.testing.assert_allclose(record.values["nee_measured_share"], 0.5)
    np.testing.assert_allclose(record.diurnal["shortwave_hourly"][5], 500 * sun.reshape(24, 2).mean(1), atol=1e-9)
    assert set(record.diurnal) >= {"specific_humidity_hourly", "wind_hourly", "air_temperature_hourly"}
    assert one(ch4_half_hourly(), HALF).diurnal == {}


def test_days_come_before_half_hours_by_default():
    ranks = {name: one(table, name).rank for name, table in ((DAILY, ch4_daily()), (HALF, ch4_half_hourly()))}
    assert ranks[DAILY] > ranks[HALF]
    other = TowerSource(resolution=("HH", "DD"))
    assert one(ch4_daily(), config=other).rank < one(ch4_half_hourly(), HALF, other).rank
    assert parse(ch4_daily(), DAILY, DAILY, TowerSource(resolution=("MM",))) == []


def test_faulty_precipitation_of_one_site_is_left_out(caplog):
    name = DAILY.replace("XX-Syn", "FI-Lom")
    record = one(ch4_daily(), name)
    assert np.isnan(record.values["precipitation"]).all() and "365 precipitation left out" in caplog.text


@pytest.mark.parametrize(
    ("damage", "name", "sentence"),
    [
        (lambda t: t, "FLX_XX-Syn_FLUXNET2015_FULLSET_DD_2014-2014_1-1.csv", "keep the product's own"),
        (lambda t: t.drop(columns="NEE_F"), DAILY, "has no column NEE_F"),
        (lambda t: t.iloc[:100], DAILY.replace("2014-2014", "2014-2015"), "its name promises 2014 to 2015"),
        (lambda t: t.iloc[:0], DAILY, "has a header but no rows"),
        (lambda t: t.iloc[::-1], DAILY, "steps must increase"),
        (lambda t: t.assign(TIMESTAMP=t["TIMESTAMP"] // 100), DAILY, "is not the beginning of a DD step"),
        (lambda t: t.assign(GPP_NT="much"), DAILY, "column GPP_NT holds 'much'"),
        (lambda t: t.assign(TA_F=t["TA_F"] + 273.15), DAILY, "it looks like K"),
        (
            lambda t: t.assign(**dict.fromkeys(("NEE_F", "GPP_NT", "GPP_DT", "RECO_NT", "RECO_DT"), -9999)),
            DAILY,
            "no mon",
        ),
    ],
)
def test_bad_tables_end_in_one_sentence(damage, name, sentence):
    with pytest.raises(ValueError, match=sentence):
        parse(damage(ch4_daily()), name, name, CONFIG)


def test_file_is_read_by_its_name(tmp_path):
    ch4_daily().replace(np.inf, 1e200).to_csv(tmp_path / DAILY, index=False)
    assert SOURCES[0].matches(f"ch4/{DAILY}") and not SOURCES[0].matches(
        "FLX_XX-Syn_FLUXNET2015_FULLSET_DD_2014-2014_1-1.csv"
    )
    (record,) = read_fluxnet_ch4(tmp_path / DAILY, CONFIG)
    assert record.counts["runaway_fluxes"] == 1 and record.product == "fluxnet-ch4"
