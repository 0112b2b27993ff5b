"""Half-hourly, hourly and daily files against loops over the same rows."""

import gzip

import numpy as np
import pandas as pd
import pytest
from ingest_samples import read_one, stamps, synthetic_finer, synthetic_monthly

from dere.config.towers import TowerSource
from dere.ingest.tower.diurnal import humidity_of
from dere.ingest.tower.fluxnet.family import parse_finer, read_family
from dere.ingest.tower.fluxnet.names import parse_name, passed_over
from dere.ingest.tower.steps import check_years, parse_steps

TO_GRAMS = 12.011e-6 * 86400
NAME = "FLX_AA-Syn_FLUXNET2015_FULLSET_{}_2001-2001_1-4.csv"
# three months are enough for everything but the check of whole years, which a name without years skips
PARTIAL = "ICOSETC_AA-Syn_FLUXNET_{}_L2.csv"


def of_month(step, month):
    return stamps(step).month.to_numpy() == month


def read(table, step, **config):
    return parse_finer(table, parse_name(PARTIAL.format(step)), "f.csv", TowerSource(**config))


@pytest.mark.parametrize(("step", "per_day"), [("HH", 48), ("HR", 24)])
def test_hours_become_months(step, per_day):
    table = synthetic_finer(step)
    record = read(table, step)
    assert record.months.tolist() == [2001 * 12, 2001 * 12 + 1, 2001 * 12 + 2]
    for k, days in enumerate((31, 28, 31)):
        rows = table[of_month(step, k + 1)]
        v = {name: values[k] for name, values in record.values.items()}
        assert v["nee"] == pytest.approx(rows["NEE_VUT_REF"].sum() / (days * per_day) * TO_GRAMS)
        assert v["gpp_dt"] == pytest.approx(rows["GPP_DT_VUT_REF"].mean() * TO_GRAMS)
        assert v["precipitation"] == pytest.approx(rows["P_F"].sum() / days)
        assert v["air_temperature"] == pytest.approx(rows["TA_F"].mean())
        assert v["vpd_reanalysis"] == pytest.approx(rows["VPD_ERA"].mean())
        good = sum(q in (0, 1) for q in rows["NEE_VUT_REF_QC"]) / (days * per_day)
        assert v["nee_quality"] == pytest.approx(good)
        assert v["nee_measured_share"] == pytest.approx((rows["NEE_VUT_REF_QC"] == 0).mean())
        assert v["nee_coverage"] == 1
        random = sum(u**2 for u in rows["NEE_VUT_REF_RANDUNC"]) ** 0.5 / len(rows) * TO_GRAMS
        assert v["nee_random_uncertainty"] == pytest.approx(random)
        assert v["nee_joint_uncertainty"] == pytest.approx(np.hypot(random, 0.3 * TO_GRAMS))


def test_days_become_months():
    table = synthetic_finer("DD")
    record = read(table, "DD")
    rows = table[of_month("DD", 2)]
    assert record.values["nee"][1] == pytest.approx(rows["NEE_VUT_REF"].mean())
    assert record.values["nee_quality"][1] == pytest.approx(rows["NEE_VUT_REF_QC"].mean())
    assert record.values["precipitation"][1] == pytest.approx(rows["P_F"].mean())
    assert "nee_measured_share" not in record.values and record.diurnal == {}


def test_coverage_decides_over_months_but_not_over_quality():
    table = synthetic_finer("HH")
    table.loc[:1000, [c for c in table if c.startswith(("NEE", "TA_F"))]] = -9999
    strict, loose = read(table, "HH", minimum_coverage=0.8), read(table, "HH", minimum_coverage=0.3)
    assert np.isnan(strict.values["nee"][0]) and np.isfinite(strict.values["nee"][1])
    rows = table[of_month("HH", 1)].iloc[1001:]
    assert loose.values["nee"][0] == pytest.approx(rows["NEE_VUT_REF"].mean() * TO_GRAMS)
    assert loose.values["nee_coverage"][0] == pytest.approx(len(rows) / 1488)
    # a missing half hour is not a good one
    assert loose.values["nee_quality"][0] == pytest.approx((rows["NEE_VUT_REF_QC"] <= 1).sum() / 1488)


def test_diurnal_cycles_of_each_hour():
    table = synthetic_finer("HH")
    record = read(table, "HH")
    assert set(record.diurnal) == {
        "specific_humidity_hourly", "air_temperature_hourly", "shortwave_hourly", "wind_hourly", "co2_hourly"
    }  # fmt: skip
    rows = table[of_month("HH", 3)]
    for hour in (0, 12, 23):
        here = rows[rows["TIMESTAMP_START"] // 100 % 100 == hour]
        assert len(here) == 62
        assert record.diurnal["air_temperature_hourly"][2, hour] == pytest.approx(here["TA_F"].mean())
        humidity = humidity_of(*(here[c].to_numpy() for c in ("TA_F", "VPD_F", "PA_F"))).mean()
        assert record.diurnal["specific_humidity_hourly"][2, hour] == pytest.approx(humidity)
    assert (
        record.diurnal["shortwave_hourly"].argmax(axis=1).tolist() == [11, 11, 11]
        or (record.diurnal["shortwave_hourly"].argmax(axis=1) == 12).all()
    )
    hourly = record.diurnal["air_temperature_hourly"].mean(axis=1)
    np.testing.assert_allclose(hourly, record.values["air_temperature"])


def test_humidity_against_a_textbook_value():
    # air of 20 degC at 50 % relative humidity and 1013.25 hPa: psychrometric tables give 7.2 g kg-1
    deficit = np.array(23.39 / 2)
    assert float(humidity_of(np.array(20.0), deficit, np.array(101.325))) == pytest.approx(0.0072, rel=0.01)
    assert np.isnan(humidity_of(np.array(0.0), np.array(20.0), np.array(100.0)))


def test_cycles_come_from_reanalysis_where_nothing_is_filled():
    table = synthetic_finer("HH")
    table[["WS_F", "CO2_F_MDS"]] = -9999
    cycles = read(table, "HH").diurnal
    assert "co2_hourly" not in cycles
    first = table[of_month("HH", 1)]
    assert cycles["wind_hourly"][0, 5] == pytest.approx(
        first.loc[first["TIMESTAMP_START"] // 100 % 100 == 5, "WS_ERA"].mean()
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda t: t.assign(TIMESTAMP_START=t["TIMESTAMP_START"] + 1),
            r"200101010001 in data row 1 is not the beginning",
        ),
        (lambda t: t.assign(TIMESTAMP_START=200102310000), r"200102310000 in data row 1"),
        (lambda t: t.assign(TIMESTAMP_START=20010101), "YYYYMMDDHHMM; use the product's own file"),
        (lambda t: t.iloc[::-1], "follows 200103312330, but steps must increase"),
        (lambda t: pd.concat([t, t.iloc[-1:]]), "occur once; sort the rows"),
        (lambda t: t.drop(columns="TIMESTAMP_START"), "no column TIMESTAMP_START"),
        (lambda t: t.assign(GPP_NT_VUT_REF=t["GPP_NT_VUT_REF"] * 30), "column GPP_NT_VUT_REF has median"),
        (lambda t: t.assign(TA_F=t["TA_F"] + 273.15), "looks like K"),
        (lambda t: t.astype({"TA_F": object}).assign(TA_F="warm"), "holds 'warm' in data row 1"),
    ],
)
def test_bad_tables(change, message):
    with pytest.raises(ValueError, match=rf"f\.csv.*{message}"):
        read(change(synthetic_finer("HH")), "HH")


def test_files_cut_between_two_steps():
    table = synthetic_finer("DD", last="2002-01-01")
    name = parse_name(NAME.format("DD"))
    assert len(parse_finer(table, name, "f").months) == 12
    with pytest.raises(ValueError, match="holds steps from 2001-01-01 to 2001-12-30, but its name promises"):
        parse_finer(table.iloc[:-1], name, "f")
    with pytest.raises(ValueError, match="header but no rows"):
        check_years(parse_steps(table.iloc[:0], "DD", "f"), (2001, 2001), "f")


def test_one_step_of_a_processing_is_read(tmp_path):
    files = [tmp_path / NAME.format(step) for step in ("HH", "DD", "MM")] + [tmp_path / PARTIAL.format("DD")]
    reasons = passed_over(files, TowerSource())
    assert {file.name: reason for file, (_, _, reason) in reasons.items()} == {
        NAME.format("HH"): "step MM of the same processing is read",
        NAME.format("DD"): "step MM of the same processing is read",
    }
    reasons = passed_over(files, TowerSource(resolution=("HH", "MM")))
    assert sorted(file.name for file in reasons) == sorted([NAME.format("DD"), NAME.format("MM"), PARTIAL.format("DD")])
    assert reasons[files[3]].reason == "step DD is not in sources.towers.resolution"


def test_cycles_and_measured_share_beside_a_monthly_file(tmp_path):
    monthly = synthetic_monthly(2001, 1)
    monthly.to_csv(tmp_path / NAME.format("MM"), index=False)
    half_hours = synthetic_finer("HH", last="2002-01-01")
    (tmp_path / (NAME.format("HH") + ".gz")).write_bytes(gzip.compress(half_hours.to_csv(index=False).encode(), 1))
    plain = read_family(tmp_path / NAME.format("MM"), TowerSource())[0]
    assert plain.diurnal == {} and "nee_measured_share" not in plain.values
    record = read_family(tmp_path / NAME.format("MM"), TowerSource(diurnal_cycles=True))[0]
    np.testing.assert_allclose(record.values["nee"], monthly["NEE_VUT_REF"])
    alone = read_one(tmp_path / (NAME.format("HH") + ".gz"))
    np.testing.assert_array_equal(record.diurnal["wind_hourly"], alone.diurnal["wind_hourly"])
    np.testing.assert_array_equal(record.values["nee_measured_share"], alone.values["nee_measured_share"])


def test_daily_and_half_hourly_sums_agree():
    half_hours = synthetic_finer("HH")
    day = half_hours["TIMESTAMP_START"] // 10000
    days = half_hours.groupby(day).mean().reset_index(drop=True)
    days["TIMESTAMP"] = sorted(set(day))
    fluxes = [c for c in days if c.startswith(("NEE", "GPP", "RECO")) and not c.endswith("_QC")]
    days[fluxes] *= TO_GRAMS
    days["P_F"] *= 48
    quality = [c for c in days if c.endswith("_QC")]
    days[quality] = (half_hours[quality] <= 1).groupby(day).mean().to_numpy()
    a, b = read(half_hours, "HH"), read(days, "DD")
    for name in ("nee", "gpp_nt", "reco_dt", "nee_quality", "precipitation", "air_temperature", "wind_quality"):
        np.testing.assert_allclose(a.values[name], b.values[name], err_msg=name)
