"""Months that do not fit a tower's own record: artefacts are found, what nature and people do is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.config.harmonise import HarmoniseConfig
from dere.exchange.co2 import EXCHANGE as CO2
from dere.harmonise.labelled_towers import labelled_towers
from dere.harmonise.labels import make_labels
from dere.harmonise.odd_months import COLUMNS, OddRule
from dere.ingest.months import mid_months

YEARS = 10
FIRST = 2001
MONTH = np.arange(12 * YEARS) % 12
YEAR = FIRST + np.arange(12 * YEARS) // 12
SEASON = 0.5 - 0.5 * np.cos(2 * np.pi * (MONTH + 0.5) / 12)


def site(gpp_peak=10.0, seed=0):
    """A northern site: respiration 1 to 6, production 0 to ``gpp_peak``, every year a little different."""
    rng = np.random.default_rng(seed)
    gpp = gpp_peak * SEASON**2 * rng.normal(1, 0.08, YEARS).repeat(12) + rng.normal(0, 0.15, 12 * YEARS)
    reco = 1 + 5 * SEASON**1.5 * rng.normal(1, 0.08, YEARS).repeat(12) + rng.normal(0, 0.15, 12 * YEARS)
    return gpp, reco


def at(year, *months):
    """Positions of calendar months (1 to 12) of a year."""
    return np.flatnonzero((year == YEAR) & np.isin(MONTH + 1, months))


def towers_of(gpp, reco, nee=None):
    nee = reco - gpp if nee is None else nee
    series = {
        "nee": nee,
        "gpp_nt": gpp,
        "gpp_dt": gpp + 0.1,
        "nee_quality": np.full(len(nee), 0.9),
        "shortwave": 20 + 230 * SEASON[: len(nee)],
        "air_temperature": -6 + 26 * SEASON[: len(nee)],
        "in_record": np.ones(len(nee), bool),
    }
    data = {name: (("site", "time"), np.asarray(values)[None]) for name, values in series.items()}
    return xr.Dataset(data, coords={"site": ["XX-Odd"], "time": mid_months(FIRST * 12, len(nee))})


def odd_of(gpp, reco, nee=None, **rule):
    """Odd values as {(month, flux)}."""
    table = make_labels(towers_of(gpp, reco, nee), odd=OddRule(0.5, **rule)).odd
    return set(zip(table["month"], table["flux"], strict=True))


def names(months, *fluxes):
    return {(f"{YEAR[m]}-{MONTH[m] + 1:02d}", flux) for m in months for flux in fluxes}


def test_winter_release_beyond_all_respiration_is_odd():
    """As at US-Ha1 in the winter of 2010/11; a run over the turn of the year is found as a whole."""
    gpp, reco = site()
    winter = np.concatenate([at(2005, 12), at(2006, 1, 2, 3)])
    reco[winter] += 6.0
    assert {month for month in odd_of(gpp, reco) if month[1] == "nee"} == names(winter, "nee")


def test_winter_uptake_beyond_all_production_is_odd():
    gpp, reco = site()
    gpp[at(2004, 1)] += 6.0
    assert odd_of(gpp, reco) == names(at(2004, 1), "nee", "gpp")


@pytest.mark.parametrize("spike", [25.0, -30.0])
def test_a_spike_is_odd_in_any_season(spike):
    gpp, reco = site()
    for month in (1, 4, 7, 10):
        nee = reco - gpp
        nee[at(2007, month)] += spike
        assert "nee" in {flux for _, flux in odd_of(gpp, nee + gpp, nee)}, month


def test_a_flipped_sign_is_odd_where_it_is_more_than_the_site_respires():
    """Within respiration it cannot be told from a month without any production."""
    gpp, reco = site(gpp_peak=22.0)
    nee, july = reco - gpp, at(2006, 7)
    nee[july] *= -1
    assert nee[july] > 10 and names(july, "nee") <= odd_of(gpp, nee + gpp, nee)


def test_a_wrong_partitioning_is_odd_in_the_dark_and_below_zero():
    gpp, reco = site()
    for january, production in ((2003, 8.0), (2008, -4.0)):
        month = at(january, 1)
        reco[month] += production - gpp[month]
        gpp[month] = production
    assert odd_of(gpp, reco) == names(at(2003, 1), "gpp") | names(at(2008, 1), "gpp", "reco")


def clear_cut(gpp, reco):
    after = YEAR >= 2008
    gpp[after] *= 0.1
    reco[after] *= 0.9


def drought(gpp, reco):
    gpp[at(2003, 6, 7, 8, 9)] *= 0.2
    reco[at(2003, 6, 7, 8, 9)] *= 0.8


def windthrow_in_the_last_months(gpp, reco):
    gpp[at(2010, 8, 9, 10, 11, 12)] *= 0.0
    reco[at(2010, 8, 9, 10, 11, 12)] *= 1.2


def mown_in_summer(gpp, reco):
    gpp[at(2005, 6)] *= 0.1
    gpp[at(2006, 8)] *= 0.1


def rotation(gpp, reco):
    """Winter wheat, which is ripe in July, once in ten years of maize."""
    gpp[at(2006, 3, 4, 5)] += np.array([4.0, 8.0, 6.0])
    gpp[at(2006, 7, 8, 9)] *= 0.1


def growing_forest(gpp, reco):
    gpp *= np.linspace(0.1, 1.6, 12 * YEARS)


def wet_year(gpp, reco):
    gpp[at(2007, 5, 6, 7, 8)] *= 2.0
    reco[at(2007, 5, 6, 7, 8)] *= 1.6


def early_spring(gpp, reco):
    gpp[at(2007, 3, 4)] += 2.5


EVENTS = (
    clear_cut, drought, windthrow_in_the_last_months, mown_in_summer, rotation, growing_forest, wet_year, early_spring
)  # fmt: skip


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
@pytest.mark.parametrize("seed", range(3))
def test_what_nature_and_people_do_is_not_odd(event, seed):
    gpp, reco = site(gpp_peak=12.0, seed=seed)
    event(gpp, reco)
    assert odd_of(gpp, reco) == set()


def test_records_too_short_to_judge_are_left_alone():
    gpp, reco = site()
    reco[at(2001, 1, 2)] += 6.0
    assert odd_of(gpp[:60], reco[:60]) == names(at(2001, 1, 2), "nee")
    assert odd_of(gpp[:48], reco[:48]) == set()


def test_bad_months_neither_judge_nor_are_judged():
    gpp, reco = site()
    reco[MONTH == 1] += np.where(np.arange(YEARS) < 6, 8.0, 0.0)  # February of six years is badly filled
    towers = towers_of(gpp, reco)
    bad = (MONTH == 1) & (YEAR < 2007)
    towers["nee_quality"][0, bad] = 0.1
    assert make_labels(towers, odd=OddRule(0.5)).odd.empty
    towers["nee_quality"][0, at(2001, 2)] = 0.9
    assert make_labels(towers, odd=OddRule(0.5)).odd["month"].tolist() == ["2001-02"]


def test_without_light_and_temperature_only_what_exceeds_all_months_is_odd():
    gpp, reco = site()
    reco[at(2005, 1)] += 4.5
    reco[at(2005, 2)] += 9.0
    towers = towers_of(gpp, reco).drop_vars(["shortwave", "air_temperature"])
    assert make_labels(towers, odd=OddRule(0.5)).odd["month"].tolist() == ["2005-02"]


def test_odd_months_are_no_labels_but_kept_apart():
    """NEE takes the whole month along, a wrong partitioning leaves NEE; the counts say so."""
    gpp, reco = site()
    reco[at(2005, 2)] += 7.0
    change = 8.0 - gpp[at(2007, 1)]
    gpp[at(2007, 1)] += change
    reco[at(2007, 1)] += change
    towers = towers_of(gpp, reco)
    plain, left_out, kept = (
        make_labels(towers, odd=rule) for rule in (None, OddRule(0.5), OddRule(0.5, leave_out=False))
    )
    whole, partition = at(2005, 2).item(), at(2007, 1).item()
    value, before = (labels.dataset["flux_value"].values[0] for labels in (left_out, plain))
    assert np.isnan(value[whole]).all() and np.isfinite(value[partition]).tolist() == [False, False, True]
    elsewhere = np.delete(np.arange(len(value)), [whole, partition])
    np.testing.assert_array_equal(value[elsewhere], before[elsewhere])
    odd = left_out.dataset["flux_odd"].values[0]
    np.testing.assert_array_equal(odd[whole], before[whole])
    np.testing.assert_array_equal(odd[partition, :2], before[partition, :2])
    assert np.isfinite(odd).sum() == 5
    assert np.isnan(left_out.dataset["flux_daytime"].values[0, whole]).all()
    assert np.isfinite(left_out.dataset["flux_daytime"].values[0, partition]).all()
    counts = left_out.counts.set_index(["step", "reason"])["months"]
    assert counts["labels", "kept"] == 118 and counts["labels", "odd"] == 2 and counts["nee alone", "odd"] == 1

    xr.testing.assert_identical(kept.dataset.drop_vars("flux_odd"), plain.dataset)
    pd.testing.assert_frame_equal(kept.counts, plain.counts)
    assert "flux_odd" not in plain.dataset and plain.odd.empty and tuple(plain.odd.columns) == COLUMNS
    assert left_out.odd["left_out"].all() and not kept.odd["left_out"].any()
    row = left_out.odd.iloc[0]
    february = (reco - gpp)[(MONTH == 1) & (YEAR != 2005)]
    assert (row["site"], row["month"], row["flux"], row["years"]) == ("XX-Odd", "2005-02", "nee", 9)
    np.testing.assert_allclose(
        row[["value", "median", "low", "high", "quality"]].astype(float),
        [(reco - gpp)[whole], np.median(february), february.min(), february.max(), 0.9],
        rtol=1e-6,
    )


def test_the_configuration_decides(caplog):
    gpp, reco = site()
    reco[at(2005, 2)] += 7.0
    raw = towers_of(gpp, reco)
    drivers = xr.Dataset({"record": raw["in_record"]}, coords=raw.coords)
    left_out, labels = labelled_towers(drivers, raw, CO2, HarmoniseConfig())
    assert "1 values of 1 towers do not fit the tower's own record and are left out" in caplog.text
    kept, _ = labelled_towers(drivers, raw, CO2, HarmoniseConfig(odd_months="keep"))
    month = at(2005, 2).item()
    assert np.isnan(left_out["flux_value"].values[0, month]).all() and len(labels.odd) == 1
    assert np.isfinite(kept["flux_value"].values[0, month]).all()
    few, _ = labelled_towers(drivers, raw, CO2, HarmoniseConfig(minimum_labelled_months=1000))
    assert not few["flux_odd"].notnull().any()
