"""Scores of trajectories on hidden months, against slow sums and known distributions."""

import numpy as np
import pandas as pd
import pytest

from dere.crps import crps
from dere.evaluation.imputation_table import checked
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


def test_scores_are_means_over_hidden_values_and_wholly_hidden_years():
    rng = np.random.default_rng(2)
    gaps = [gap("A", "years", rng), gap("A", "edge", rng), gap("B", "edge", rng)]
    found = checked(scores.table(scores.gap_sums(gaps).assign(fold=1, seed=0)))
    row = found.set_index(list(scores.KEY)).loc
    reco = FLUXES.index("reco")
    samples = np.concatenate([g.drawn["diffusion"][:, g.hidden[:, reco], reco] for g in gaps[1:]], 1)
    truth = np.concatenate([g.flux[g.hidden[:, reco], reco] for g in gaps[1:]])
    edge = row[("1", "0", "edge", "diffusion", "reco", "monthly")]
    assert (edge["sites"], edge["values"]) == (2, 48)
    assert edge["crps"] == pytest.approx(crps(samples, truth).mean())
    assert edge["bias"] == pytest.approx((samples.mean(0) - truth).mean())
    assert edge["mae"] == pytest.approx(np.abs(np.median(samples, 0) - truth).mean())
    spread = np.sqrt((samples.var(0, ddof=1) * 10 / 9).mean() / ((samples.mean(0) - truth) ** 2).mean())
    assert edge["spread_error"] == pytest.approx(spread)
    # months 6 to 29 are July 2001 to June 2003: one calendar year is hidden as a whole
    year = row[("1", "0", "years", "diffusion", "gpp", "annual")]
    whole = gaps[0].year == 2002
    error = gaps[0].drawn["diffusion"][:, whole].mean((0, 1)) - gaps[0].flux[whole].mean(0)
    assert (year["sites"], year["values"]) == (1, 1) and year["bias"] == pytest.approx(error[FLUXES.index("gpp")])
    assert row[("1", "0", "all", "diffusion", "nee", "monthly")]["values"] == 72
    gaps[2].hidden[:20, :2] = False  # NEE alone was observed, and hidden, in these months
    fewer = scores.table(scores.gap_sums(gaps).assign(fold=1, seed=0)).set_index(list(scores.KEY))["values"]
    of_flux = [int(fewer[("1", "0", "all", "diffusion", flux, "monthly")]) for flux in FLUXES]
    assert of_flux == [52, 52, 72]
    line = found[found["method"] == "interpolation"]
    assert np.allclose(line["crps"], 0.5) and np.allclose(line["mae"], 0.5)
    assert line[["coverage_50", "coverage_90", "spread_error"]].isna().all(axis=None)


def test_folds_and_seeds_are_pooled_by_their_values():
    rng = np.random.default_rng(3)
    first, second = (scores.gap_sums([gap(site, "site", rng)]) for site in "AB")
    sums = pd.concat([first.assign(fold=0, seed=0), second.assign(fold=1, seed=0)])
    found = scores.table(sums).query("gap == 'all' and flux == 'nee' and scale == 'monthly' and method == 'diffusion'")
    crps_of = found.set_index("fold")["crps"]
    assert found["fold"].tolist() == ["0", "1", "all"] and found["sites"].tolist() == [1, 1, 2]
    assert crps_of["all"] == pytest.approx((crps_of["0"] + crps_of["1"]) / 2)


def test_an_unknown_method_breaks_the_schema():
    rng = np.random.default_rng(4)
    one = gap("A", "site", rng)
    table = scores.table(scores.gap_sums([one]).assign(fold=0, seed=0)).replace({"method": {"diffusion": "guess"}})
    with pytest.raises(ValueError, match=r"imputation\.csv would break its schema"):
        checked(table)
