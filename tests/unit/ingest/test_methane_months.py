"""Labels of methane: months of measured days, never of filled ones."""

import numpy as np
import pytest
from collection_samples import ch4_daily, ch4_half_hourly

from dere.config.towers import TowerSource
from dere.ingest.tower.fluxnet_ch4.methane import MINIMUM_DAYS, measured_months
from dere.ingest.tower.fluxnet_ch4.table import parse
from dere.ingest.tower.steps import parse_steps
from dere.variables import FLUX_UNIT, convert

DAILY = "FLX_XX-Syn_FLUXNET-CH4_DD_2014-2014_1-1.csv"
HALF = "FLX_XX-Syn_FLUXNET-CH4_HH_2014-2014_1-1.csv"


def one(table, name=DAILY):
    (record,) = parse(table, name, name, TowerSource(minimum_coverage=0.6))
    return record.values


def measured(table, days_of_june, value=100.0):
    """Give June so many measured days; every day has a filled value."""
    june = table.index[table["TIMESTAMP"] // 100 == 201406]
    table["FCH4"] = -9999.0
    table.loc[june[:days_of_june], "FCH4"] = value + np.arange(days_of_june)
    return table.assign(FCH4_F=30.0, FCH4_F_ANNOPTLM=30.0)


def test_a_month_is_the_mean_of_its_measured_days_and_its_quality_their_share():
    values = one(measured(ch4_daily(), MINIMUM_DAYS))
    june = 5
    carbon = convert(np.array([104.5]), "nmolCH4 m-2 s-1", FLUX_UNIT)
    np.testing.assert_allclose(values["ch4"][june], carbon)
    assert values["ch4_quality"][june] == pytest.approx(10 / 30)
    assert np.isnan(np.delete(values["ch4"], june)).all() and (np.delete(values["ch4_quality"], june) == 0).all()


def test_too_few_days_are_no_label_and_still_have_a_quality():
    values = one(measured(ch4_daily(), MINIMUM_DAYS - 1))
    assert np.isnan(values["ch4"]).all()
    assert values["ch4_quality"][5] == pytest.approx(9 / 30)


def test_filled_values_are_never_labels():
    """A table whose filled columns are complete and whose measured column is empty, or absent, has no methane."""
    empty = measured(ch4_daily(), 0)
    assert "ch4" not in one(empty) and "ch4" not in one(empty.drop(columns="FCH4"))
    few, other = measured(ch4_daily(), 20), measured(ch4_daily(), 20).assign(FCH4_F=900.0, FCH4_F_ANNOPTLM=900.0)
    np.testing.assert_array_equal(one(few)["ch4"], one(other)["ch4"])


def test_carbon_dioxide_is_the_same_with_and_without_methane():
    without, beside = one(ch4_daily()), one(measured(ch4_daily(), 20))
    assert set(beside) - set(without) == {"ch4", "ch4_quality"}
    for name, values in without.items():
        np.testing.assert_array_equal(values, beside[name], err_msg=name)


def test_half_hours_become_days_first():
    """Days with one measured half hour count as much as full ones."""
    table = ch4_half_hourly()
    day = table["TIMESTAMP_START"] // 10000
    table["FCH4"] = np.where(day == 20140601, 10.0, np.where(table["TIMESTAMP_START"] % 10000 == 1200, 50.0, -9999.0))
    steps = parse_steps(table, "HH", HALF)
    flux = table["FCH4"].replace(-9999.0, np.nan).to_numpy()
    months, mean, quality = measured_months(steps, flux)
    assert len(months) == 12 and (quality == 1).all()
    np.testing.assert_allclose(mean, [50.0] * 5 + [(10.0 + 29 * 50.0) / 30] + [50.0] * 6)
    np.testing.assert_allclose(one(table, HALF)["ch4"], convert(mean, "nmolCH4 m-2 s-1", FLUX_UNIT))


def test_impossible_days_are_counted_and_no_values():
    table = measured(ch4_daily(), 12)
    at = table.index[table["TIMESTAMP"] == 20140601][0]
    table.loc[at, "FCH4"] = 1e6
    (record,) = parse(table, DAILY, DAILY, TowerSource(minimum_coverage=0.6))
    assert record.counts["impossible_ch4"] == 1 and record.values["ch4_quality"][5] == pytest.approx(11 / 30)


@pytest.mark.realdata
def test_real_towers_have_the_months_that_were_counted(realdata):
    from dere.ingest.tower.fluxnet_ch4.table import read_fluxnet_ch4

    names = ("FLX_FR-LGt_FLUXNET-CH4_DD_2017-2018_1-1.csv.gz", "FLX_BW-Gum_FLUXNET-CH4_DD_2018-2018_1-1.csv.gz")
    found = [read_fluxnet_ch4(realdata / "fluxnet-ch4-daily" / name, TowerSource())[0] for name in names]
    assert [int(np.isfinite(record.values["ch4"]).sum()) for record in found] == [12, 7]
