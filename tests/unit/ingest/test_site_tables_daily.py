"""Daily tables of single studies."""

import numpy as np
import pytest
from collection_samples import fluxcourse, six_forests

from dere.config.towers import TowerSource
from dere.ingest.tower.fluxcourse.table import parse_fluxcourse, read_fluxcourse, scaled_twice
from dere.ingest.tower.six_forests.table import parse_six_forests, read_six_forests

CONFIG = TowerSource()


def test_six_forests_take_the_median_threshold_and_no_dot():
    records = parse_six_forests(six_forests(), "six.csv", CONFIG)
    assert [record.site for record in records] == ["US-Sy2", "US-Syn"]
    np.testing.assert_allclose(records[1].values["gpp_nt"], 3.0)
    np.testing.assert_allclose(records[1].values["nee"], -2.0)
    assert len(records[0].months) == 12 and np.isnan(records[0].values["nee_quality"]).all()


def test_a_factor_in_the_digits_is_undone(caplog):
    table = fluxcourse()
    (record,) = parse_fluxcourse(table, "XX-Syn", "obs.csv", CONFIG)
    february = table["GPP_gC_m2_day"][31:60].mean() / 1.0368
    np.testing.assert_allclose(record.values["gpp_nt"][1], february)
    assert record.counts["values_scaled_twice"] == 3 * 365 and "1.0368 times" in caplog.text


def test_a_corrected_copy_is_read_as_it_is(caplog):
    table = fluxcourse()
    columns = list(table.columns[1:])
    table[columns] = (table[columns] / 1.0368).map(lambda value: float(f"{value:.6g}"))
    (record,) = parse_fluxcourse(table, "XX-Syn", "obs.csv", CONFIG)
    np.testing.assert_allclose(record.values["gpp_nt"][1], table["GPP_gC_m2_day"][31:60].mean())
    assert record.counts["values_scaled_twice"] == 0 and not caplog.records


def test_only_short_numbers_times_the_factor_count_as_scaled():
    rng = np.random.default_rng(0)
    short = np.array([float(f"{value:.6g}") for value in rng.uniform(0.1, 20, 500)])
    assert scaled_twice(short * 1.0368)
    assert not scaled_twice(short) and not scaled_twice(rng.uniform(0.1, 20, 500)) and not scaled_twice(short * 1.0378)
    assert not scaled_twice(np.array([np.nan, 0.0]))


def test_days_that_are_not_to_be_read_give_nothing():
    months = TowerSource(resolution=("MM",))
    assert parse_six_forests(six_forests(), "six.csv", months) == []
    assert parse_fluxcourse(fluxcourse(), "XX-Syn", "obs.csv", months) == []


def test_runaway_fluxes_are_masked(caplog):
    table = six_forests()
    table.loc[3, "GPP_U50"] = 500.0
    records = parse_six_forests(table, "six.csv", CONFIG)
    np.testing.assert_allclose(records[1].values["gpp_nt"], 3.0)
    assert "1 runaway fluxes" in caplog.text


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda t: t.drop(columns="doy"), "has no column doy"),
        (lambda t: t.assign(site="Bartlett"), "ids like US.Bar"),
        (lambda t: t.assign(year=2005), "has day 366 of year 2005"),
        (lambda t: t.assign(doy=0), "has day 0 of year 2004"),
        (lambda t: t.assign(doy=7), "must increase and occur once"),
        (lambda t: t.assign(NEE_U50=np.nan, GPP_U50=np.nan, Reco_U50=np.nan), "has no month with 80% of its days"),
    ],
)
def test_bad_six_forests_end_in_one_sentence(damage, sentence):
    with pytest.raises(ValueError, match=sentence):
        parse_six_forests(damage(six_forests()), "six.csv", CONFIG)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda t: t.drop(columns="GPP_gC_m2_day"), "has no column GPP_gC_m2_day"),
        (lambda t: t.assign(date="1.1.2004"), "no time written %Y-%m-%d"),
        (lambda t: t.iloc[::-1], "must increase"),
        (lambda t: t.iloc[:0], "has a header but no rows"),
        (lambda t: t.assign(NEE_gC_m2_day="x"), "column NEE_gC_m2_day holds 'x'"),
    ],
)
def test_bad_fluxcourse_ends_in_one_sentence(damage, sentence):
    with pytest.raises(ValueError, match=sentence):
        parse_fluxcourse(damage(fluxcourse()), "XX-Syn", "obs.csv", CONFIG)


def test_files_are_read_by_their_names(tmp_path):
    fluxcourse().to_csv(tmp_path / "obs_XX-Syn_daily.csv", index=False, na_rep="NA")
    six_forests().to_csv(tmp_path / "daily_carbon_uptake.csv", index=False, na_rep="NA")
    assert read_fluxcourse(tmp_path / "obs_XX-Syn_daily.csv", CONFIG)[0].site == "XX-Syn"
    assert len(read_six_forests(tmp_path / "daily_carbon_uptake.csv", CONFIG)) == 2
    with pytest.raises(ValueError, match="is not named obs_"):
        read_fluxcourse(tmp_path / "daily_carbon_uptake.csv", CONFIG)
