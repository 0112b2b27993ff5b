"""Scores of trajectories on hidden months, against slow sums and known distributions."""

import numpy as np
import pandas as pd
import pytest

from dere.crps import crps
from dere.evaluation.imputation_table import KEY, checked, table
from dere.imputation import scores
from dere.imputation.scores import Gap
from dere.variables import FLUXES


def test_crps_equals_the_double_sum_and_the_gaussian_value():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(9, 4)), rng.normal(size=4)
    double = np.abs(x[:, None] - x[None]).sum((0, 1)) / (2 * 9 * 8)
    assert np.allclose(crps(x, y), np.abs(x - y).mean(0) - double)
    many = rng.normal(size=(4000, 200))
    assert crps(many, np.zeros(200)).mean() == pytest.approx(np.sqrt(2 / np.pi) - 1 / np.sqrt(np.pi), abs=0.01)
    assert np.allclose(crps(x[:1], y), np.abs(x[0] - y))


def test_crps_is_unbiased_in_the_number_of_samples():
    rng = np.random.default_rng(1)
    y = rng.normal(size=40_000)
    small, large = (crps(rng.normal(size=(m, y.size)), y).mean() for m in (2, 40))
    assert small == pytest.approx(large, abs=0.02)
    assert large == pytest.approx(1 / np.sqrt(np.pi), abs=0.01)


def test_intervals_of_a_small_ensemble_cover_their_level():
    rng = np.random.default_rng(1)
    hits = scores.covered(rng.normal(size=(50, 20000)), rng.normal(size=20000), 0.9)
    assert hits.mean() == pytest.approx(0.9, abs=0.01)
    assert np.isnan(scores.covered(np.zeros((1, 3)), np.zeros(3), 0.9)).all()


def gap(site, kind, rng, months=30, first=6):
    """Samples of the truth's own distribution; all months but the last six are hidden, from July on."""
    flux = rng.normal(size=(months, 3))
    hidden = np.repeat((np.arange(months) < months - 6)[:, None], 3, 1)
    year = 2001 + (first + np.arange(months)) // 12
    drawn = {"diffusion": rng.normal(size=(9, months, 3)), "interpolation": flux[None] + 0.5}
    return Gap(site, kind, year, flux, hidden, drawn)


def summed(gaps, **about):
    """Sums of gaps of towers that are clusters of their own."""
    sums = scores.gap_sums(gaps)
    return sums.assign(**{"fold": 1, "seed": 0, "igbp": "ENF", "cluster": sums["site"], **about})


def test_scores_are_means_over_hidden_values_and_wholly_hidden_years():
    rng = np.random.default_rng(2)
    gaps = [gap("A", "years", rng), gap("A", "edge", rng), gap("B", "edge", rng)]
    found = checked(table(summed(gaps)))
    row = found.set_index(list(KEY)).loc
    reco = FLUXES.index("reco")
    samples = np.concatenate([g.drawn["diffusion"][:, g.hidden[:, reco], reco] for g in gaps[1:]], 1)
    truth = np.concatenate([g.flux[g.hidden[:, reco], reco] for g in gaps[1:]])
    edge = row[("1", "0", "edge", "all", "diffusion", "reco", "monthly")]
    assert (edge["sites"], edge["values"]) == (2, 48)
    assert edge["crps"] == pytest.approx(crps(samples, truth).mean())
    assert edge["bias"] == pytest.approx((samples.mean(0) - truth).mean())
    assert edge["mae"] == pytest.approx(np.abs(np.median(samples, 0) - truth).mean())
    spread = np.sqrt((samples.var(0, ddof=1) * 10 / 9).mean() / ((samples.mean(0) - truth) ** 2).mean())
    assert edge["spread_error"] == pytest.approx(spread)
    assert edge["rmse"] == pytest.approx(np.sqrt(((samples.mean(0) - truth) ** 2).mean()))
    # the record is July 2001 to December 2003: of its two calendar years one is hidden as a whole, one until June
    year = row[("1", "0", "years", "all", "diffusion", "gpp", "annual")]
    gpp = FLUXES.index("gpp")
    filled = np.where(gaps[0].hidden, gaps[0].drawn["diffusion"].mean(0), gaps[0].flux)[6:, gpp].reshape(2, 12)
    error = filled.mean(1) - gaps[0].flux[6:, gpp].reshape(2, 12).mean(1)
    assert (year["sites"], year["values"]) == (1, 2) and year["bias"] == pytest.approx(error.mean())
    assert row[("1", "0", "all", "all", "diffusion", "nee", "monthly")]["values"] == 72
    gaps[2].hidden[:20, :2] = False  # NEE alone was observed, and hidden, in these months
    fewer = table(summed(gaps)).set_index(list(KEY))["values"]
    of_flux = [int(fewer[("1", "0", "all", "all", "diffusion", flux, "monthly")]) for flux in FLUXES]
    assert of_flux == [52, 52, 72]
    line = found[found["method"] == "interpolation"]
    off = line["scale"].map({"monthly": 0.5, "annual": 0.5 * 18 / 24})
    assert np.allclose(line["crps"], off) and np.allclose(line["mae"], off)
    assert line[["coverage_50", "coverage_90", "spread_error"]].isna().all(axis=None)


def test_a_year_with_hidden_months_keeps_what_was_observed():
    rng = np.random.default_rng(5)
    one = gap("A", "edge", rng, months=24, first=0)
    one.hidden[:] = False
    one.hidden[20:22] = True
    row = scores.gap_sums([one]).query("method == 'interpolation' and scale == 'annual' and flux == 'nee'")
    assert row["values"].tolist() == [1] and row["bias"].tolist() == pytest.approx([0.5 * 2 / 12])
    one.flux[23] = np.nan
    assert "annual" not in set(scores.gap_sums([one])["scale"])


def test_methods_are_compared_on_the_gaps_that_both_filled():
    rng = np.random.default_rng(6)
    gaps = [gap(site, kind, rng) for site in "ABCDE" for kind in ("site", "years")]
    for one in gaps[::2]:
        del one.drawn["interpolation"]
    sums = summed(gaps, igbp=["ENF" if site in "AB" else "GRA" for site in scores.gap_sums(gaps)["site"]])
    found = table(sums).query("fold == 'all' and flux == 'reco' and scale == 'monthly'")
    row = found.set_index(["gap", "igbp", "method"]).loc
    shared = sums.query("gap == 'years' and flux == 'reco' and scale == 'monthly'").pivot_table(
        index="site", columns="method", values="crps"
    )
    for kind in ("years", "all"):
        line = row[kind, "all", "interpolation"]
        assert line["against"] == "diffusion"
        assert line["crps_ratio"] == pytest.approx(shared["interpolation"].sum() / shared["diffusion"].sum())
        ratios = shared["interpolation"] / shared["diffusion"]
        assert ratios.min() < line["ratio_low"] < line["crps_ratio"] < line["ratio_high"] < ratios.max()
    assert np.isnan(row["years", "all", "diffusion"]["crps_ratio"])
    few = shared.loc[["A", "B"]].sum()
    assert row["years", "ENF", "interpolation"]["crps_ratio"] == pytest.approx(few["interpolation"] / few["diffusion"])
    assert row["years", "ENF", "interpolation"][["sites", "clusters"]].tolist() == [2, 2]
    assert set(table(sums).query("fold == '1'")["igbp"]) == {"all"}


def test_folds_and_seeds_are_pooled_by_their_values():
    rng = np.random.default_rng(3)
    first, second = (summed([gap(site, "site", rng)], fold=fold) for fold, site in enumerate("AB"))
    sums = pd.concat([first, second])
    found = table(sums).query("gap == 'all' and flux == 'nee' and scale == 'monthly' and igbp == 'all'")
    crps_of = found[found["method"] == "diffusion"].set_index("fold")["crps"]
    assert crps_of.index.tolist() == ["0", "1", "all"]
    assert found[found["method"] == "diffusion"]["sites"].tolist() == [1, 1, 2]
    assert crps_of["all"] == pytest.approx((crps_of["0"] + crps_of["1"]) / 2)


def test_an_unknown_method_breaks_the_schema():
    made = table(summed([gap("A", "site", np.random.default_rng(4))]))
    assert len(checked(made)) == len(made)
    with pytest.raises(ValueError, match=r"imputation\.csv would break its schema"):
        checked(made.replace({"method": {"diffusion": "guess"}}))
