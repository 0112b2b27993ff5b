import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dere.harmonise.labels import OUTSIDE, UNCERTAINTY_FLOOR, make_labels, repeated_runs
from dere.variables import FLUXES


def months(labels, reason, site="XX-S00", step="labels"):
    counts = labels.counts[labels.counts["step"] == step]
    return int(counts[(counts["site"] == site) & (counts["reason"] == reason)]["months"].sum())


def test_the_triple_closes_and_is_not_clipped(towers):
    towers["gpp_nt"][0, 0] = -0.7
    towers["reco_nt"][0, 0] = float(towers["nee"][0, 0]) - 0.7
    flux = make_labels(towers).dataset["flux_value"].sel(flux=list(FLUXES)).values
    gpp, reco, nee = np.moveaxis(flux, -1, 0)
    np.testing.assert_allclose(reco, gpp + nee, atol=1e-5)
    assert gpp[0, 0] == np.float32(-0.7)


def test_a_published_reco_that_does_not_close_costs_the_month_gpp_and_reco(towers):
    towers["reco_nt"][0, 3] += 0.51
    towers["reco_nt"][0, 4] += 0.49
    labels = make_labels(towers, maximum_residual=0.5)
    flux = labels.dataset["flux_value"].values
    assert np.isnan(flux[0, 3, :2]).all() and flux[0, 3, 2] == np.float32(towers["nee"][0, 3])
    assert np.isfinite(flux[0, 4]).all()
    assert flux[0, 4, 1] == pytest.approx(float(towers["nee"][0, 4] + towers["gpp_nt"][0, 4]), rel=1e-5)
    assert months(labels, "closure") == months(labels, "closure", step="nee alone") == 1


def test_a_month_without_partitioning_is_a_label_of_nee_alone(towers):
    towers["gpp_nt"][0, 2:5] = np.nan
    towers["nee"][0, 10:13] = np.array([-3.6e-270, -4.0e-270, -3.9e-270])  # stuck: nothing is left
    labels = make_labels(towers, maximum_residual=1e9)
    for name in ("flux_value", "flux_uncertainty"):
        found = np.isfinite(labels.dataset[name].values[0])
        assert found[2:5].tolist() == [[False, False, True]] * 3 and not found[10:13].any()
        assert found.sum(0).tolist() == [42, 42, 45]
    assert [months(labels, reason) for reason in ("kept", "no_gpp", "repeated")] == [42, 3, 3]
    alone = labels.counts.query("step == 'nee alone'")
    assert alone[["reason", "months"]].values.tolist() == [["no_gpp", 3]]


@pytest.mark.parametrize("flux", ["gpp", "reco"])
def test_gpp_and_reco_have_the_quality_of_nee_unless_a_source_has_a_lower_one(towers, flux):
    """One is computed from the other and NEE, so neither is better than the worst of the three."""
    towers["nee_quality"][0] = 0.7
    towers[f"{flux}_quality"] = towers["nee_quality"].where(towers["time"].dt.month != 3) - 0.4
    towers[f"{flux}_quality"][0, 0] = 0.9
    quality = make_labels(towers).dataset["flux_quality"].sel(flux=["gpp", "reco", "nee"]).values[0]
    march = towers["time"].dt.month.values == 3
    march[0] = True
    np.testing.assert_allclose(quality[march], 0.7, rtol=1e-6)
    np.testing.assert_allclose(quality[~march], [[0.3, 0.3, 0.7]] * int((~march).sum()), rtol=1e-6)


def test_a_missing_reco_is_no_reason_to_reject(towers):
    towers["reco_nt"][:] = np.nan
    assert months(make_labels(towers), "kept") == 48


def test_repeated_values_are_rejected_and_counted_once(towers):
    towers["gpp_nt"][0, 12:24] = -13.29
    towers["reco_nt"][0, 12:24] = -13.29
    towers["nee"][0, 12:14] = np.nan
    labels = make_labels(towers, maximum_residual=1e9)
    assert months(labels, "no_nee") == 2
    assert months(labels, "repeated") == 10
    assert months(labels, "kept") == 36
    flux = labels.dataset["flux_value"].values[0]
    assert np.isnan(flux[12:24, :2]).all() and np.isnan(flux[12:14, 2]).all() and np.isfinite(flux[14:24, 2]).all()
    assert months(labels, "repeated", step="nee alone") == 10


def test_a_stuck_reco_shows_in_the_sum_where_none_is_published(towers):
    towers["reco_nt"][:] = np.nan
    towers["gpp_nt"][0, 5:8] = -towers["nee"].values[0, 5:8]
    assert months(make_labels(towers), "repeated") == 3


def test_every_month_of_the_record_is_kept_or_has_one_reason(towers):
    rng = np.random.default_rng(0)
    for name in ("nee", "gpp_nt", "reco_nt"):
        towers[name] = towers[name].where(rng.random(towers[name].shape) > 0.2)
    towers["in_record"][1, :30] = False
    counts = make_labels(towers).counts.query("step == 'labels'")
    np.testing.assert_array_equal(counts.groupby("site")["months"].sum(), towers["in_record"].sum("time"))


def test_low_quality_stays_with_its_quality(towers):
    towers["nee_quality"][0, :6] = 0.1
    towers["nee_quality"][0, 6] = np.nan
    dataset = make_labels(towers).dataset
    assert np.isfinite(dataset["flux_value"].values[0, :7]).all()
    assert (dataset["flux_quality"].values[0, 0] == np.float32(0.1)).all()
    assert (dataset["flux_quality"].values[0, 6] == 0.0).all()


def test_uncertainty_prefers_the_product_and_is_consistent_with_the_closing_triple(towers):
    towers["nee_joint_uncertainty"][0, 0] = np.nan
    towers["nee_random_uncertainty"] = towers["nee"] * 0 + 0.11
    towers["gpp_dt"][0, 1] = np.nan
    sigma = make_labels(towers).dataset["flux_uncertainty"].sel(flux=["gpp", "reco", "nee"]).values
    assert sigma[0, 0, 2] == pytest.approx(0.11)
    assert sigma[0, 2, 2] == pytest.approx(0.2)
    partitioning = max(0.05 * float(towers["gpp_nt"][0, 2]), UNCERTAINTY_FLOOR)
    assert sigma[0, 2, 0] == pytest.approx(partitioning, rel=1e-5)
    assert sigma[0, 1, 0] == pytest.approx(max(0.04 + 0.05 * abs(float(towers["gpp_nt"][0, 1])), 0.05), rel=1e-5)
    # RECO is NEE + GPP with independent errors of the two
    assert (sigma[..., 1] >= sigma[..., 2] - 1e-6).all()
    assert np.isfinite(sigma).all()
    del towers["nee_random_uncertainty"]
    fallback = make_labels(towers).dataset["flux_uncertainty"].sel(flux="nee").values[0, 0]
    assert fallback == pytest.approx(0.05 + 0.022 * abs(float(towers["nee"][0, 0])), rel=1e-5)


def test_daytime_partitioning_closes_with_the_same_nee(towers):
    daytime = make_labels(towers).dataset["flux_daytime"].sel(flux=["gpp", "reco", "nee"]).values
    np.testing.assert_allclose(daytime[..., 0], 0.9 * towers["gpp_nt"], rtol=1e-5)
    np.testing.assert_allclose(daytime[..., 1] - daytime[..., 0], daytime[..., 2], atol=1e-5)


def test_runs_in_the_daytime_member_are_rejected_and_counted(towers):
    """Stuck day-time GPP, and stuck NEE in months that give no label either, used to be scored."""
    towers["gpp_dt"][0, 10:14] = 2.5
    towers["nee"][1, 20:24] = 0.3
    towers["reco_dt"] = towers["nee"] + towers["gpp_dt"]
    towers["reco_dt"][2, 30:33] = 1.0
    labels = make_labels(towers, maximum_residual=1e9)
    daytime = labels.dataset["flux_daytime"].values
    for site, run in ((0, slice(10, 14)), (1, slice(20, 24)), (2, slice(30, 33))):
        assert np.isnan(daytime[site, run]).all()
        assert np.isfinite(np.delete(daytime[site], np.r_[run], axis=0)).all()
        name = str(towers["site"].values[site])
        assert months(labels, "repeated", name, step="daytime") == run.stop - run.start
    assert months(labels, "repeated") == 0 and months(labels, "repeated", "XX-S01") == 4
    longer = make_labels(towers, maximum_residual=1e9, repeated_run=5)
    assert np.isfinite(longer.dataset["flux_daytime"].values).all()


def test_a_dark_winter_of_zero_daytime_production_is_kept(towers):
    towers["gpp_dt"][0, 10:16] = 0.0
    towers["reco_dt"] = towers["nee"] + towers["gpp_dt"]
    labels = make_labels(towers)
    assert np.isfinite(labels.dataset["flux_daytime"].values[0, 10:16]).all()
    assert months(labels, "repeated", step="daytime") == 0


def test_a_stuck_night_time_partitioning_leaves_the_daytime_member(towers):
    towers["gpp_nt"][0, 12:24] = 4.0
    labels = make_labels(towers, maximum_residual=1e9)
    assert np.isnan(labels.dataset["flux_value"].values[0, 12:24, :2]).all()
    towers["gpp_dt"][0, 12:24] = towers["gpp_dt"][0, 12:24] + 0.01 * np.arange(12)
    daytime = make_labels(towers, maximum_residual=1e9).dataset["flux_daytime"].values
    assert np.isfinite(daytime[0, 12:24]).all()


@settings(deadline=None)
@given(st.lists(st.sampled_from([0.0, 1.0, np.nan]), min_size=0, max_size=30), st.integers(2, 5))
def test_repeated_runs_mark_exactly_the_long_runs(values, length):
    expected = np.zeros(len(values), bool)
    start = 0
    for stop in range(1, len(values) + 1):
        if stop == len(values) or values[stop] != values[start]:
            expected[start:stop] = stop - start >= length
            start = stop
    np.testing.assert_array_equal(repeated_runs(np.array(values), length), expected)


def test_sites_of_the_day_time_partitioning_use_it(towers):
    towers["gpp_dt"] = towers["gpp_nt"] + 0.7
    towers["reco_dt"] = towers["nee"] + towers["gpp_dt"]
    towers["reco_dt"][1, 5] += 1.0  # does not close
    towers["gpp_nt"][1] = np.nan
    both = towers.isel(site=[0, 1]).assign_coords(partitioning=("site", np.array(["nt", "dt"], dtype=object)))
    labels = make_labels(both)
    gpp = labels.dataset["flux_value"].sel(flux="gpp").values
    np.testing.assert_allclose(gpp[0], both["gpp_nt"][0], rtol=1e-6)
    np.testing.assert_allclose(np.delete(gpp[1], 5), np.delete(both["gpp_dt"].values[1], 5), rtol=1e-6)
    sites = both["site"].values.tolist()
    assert months(labels, "closure", sites[1]) == 1 and months(labels, "no_gpp", sites[1]) == 0
    assert months(make_labels(towers), "no_gpp", sites[1]) == 48


def test_the_measured_share_is_carried_where_a_source_has_it(towers):
    assert "flux_measured" not in make_labels(towers).dataset
    towers["nee_measured_share"] = towers["nee"] * 0 + 0.25
    assert np.nanmax(make_labels(towers).dataset["flux_measured"].values) == np.float32(0.25)


def test_labels_that_no_driver_reaches_are_counted(towers):
    """48 good months against 24 of the simulation's: the other 24 do not vanish."""
    towers["nee"][0, :5] = np.nan
    towers["gpp_nt"][2, 20:26] = np.nan
    reached = np.broadcast_to(np.arange(48) >= 24, (12, 48))
    labels = make_labels(towers, reached=reached)
    assert [months(labels, reason) for reason in ("kept", "no_nee", OUTSIDE)] == [24, 5, 19]
    assert [months(labels, reason, "XX-S01") for reason in ("kept", OUTSIDE)] == [24, 24]
    counted = labels.counts[labels.counts["step"] == "labels"].groupby("site")["months"].sum()
    np.testing.assert_array_equal(counted, 48)
    # four months of NEE alone lie before the drivers, two within
    found = [months(labels, *what, "XX-S02", step) for step, *what in (
        ("labels", "no_gpp"), ("nee alone", "no_gpp"), ("nee alone, lost", OUTSIDE))]  # fmt: skip
    assert found == [6, 2, 4]
    cut = towers.assign(in_record=towers["in_record"] & (np.arange(48) >= 24))
    assert labels.dataset.identical(make_labels(cut).dataset)
