"""Towers with months of NEE alone: it trains, it conditions, RECO is learned given it, and nothing invents a RECO."""

import numpy as np
import pytest
import torch

from dere.config.imputation import PointModelConfig
from dere.evaluation.imputation_table import ALL, table
from dere.imputation import batches, fit
from dere.imputation.batches import RECO, Recipe, masked_inputs, random_stretch, training_draw
from dere.imputation.hidden import _class_climatology, hidden_fluxes, score_hidden
from dere.imputation.masks import KINDS, NEE_ALONE, gap_statistics
from dere.imputation.point import PointModel, features, make_rows, row_loss
from dere.imputation.prior import fit_prior
from dere.imputation.schedule import quadratic
from dere.imputation.series import build

WHOLE, SOME = 6, 9
"""A tower that has no partitioning, and one that lacks it for a year."""


@pytest.fixture(scope="module")
def alone(towers):
    """The towers, but two lack GPP and RECO in some months."""
    changed = towers.copy(deep=True)
    partitioned = [changed["flux"].values.tolist().index(name) for name in ("gpp", "reco")]
    changed["flux_value"].values[WHOLE][:, partitioned] = np.nan
    changed["flux_value"].values[SOME, 20:32, partitioned] = np.nan
    return changed


@pytest.fixture(scope="module")
def series(alone, splits, statistics):
    return build(alone, splits, statistics)


@pytest.fixture(scope="module")
def recipe(series, config):
    point = np.zeros_like(series.flux)
    prior = fit_prior(point, series.flux, series.phase, series.span)
    gaps = gap_statistics(series.observed, series.span, series.phase)
    return point, Recipe(prior, gaps, config, quadratic(50))


def inputs_of(series, recipe, alone, picks, seed=0, alter=None):
    point, plain = recipe
    drawn = Recipe(plain.prior, plain.gaps, plain.config, plain.schedule, alone)
    return masked_inputs(series, point, drawn, picks, np.random.default_rng(seed), alter=alter)


def picks_of(series, sites):
    rng = np.random.default_rng(1)
    return [(random_stretch(series, site, 48, rng), kind) for site in sites for kind in KINDS]


def test_a_month_without_reco_is_never_a_target(series, recipe):
    picks = picks_of(series, range(len(series.sites)))
    for share in (0.0, 0.7):
        target = inputs_of(series, recipe, share, picks).target.numpy().astype(bool)
        for row, (stretch, _) in enumerate(picks):
            here = target[row, : stretch.stop - stretch.start]
            assert not here[~series.complete[stretch.site, stretch.start : stretch.stop]].any()
            assert not target[row, stretch.stop - stretch.start :].any()
        assert target.any()


def test_draws_that_lose_reco_keep_nee_and_are_not_redrawn(series, recipe):
    fixed = []

    def alter(flux, guess, phase, inside, fixed=None, seen=fixed):
        seen.append(fixed)
        return flux

    picks = [
        (stretch, "site" if row % 7 == 0 else "scattered")
        for row, (stretch, _) in enumerate(picks_of(series, [2, 3, 4]))
    ]
    inputs = inputs_of(series, recipe, 0.7, picks, alter=alter)
    target, known = inputs.target.numpy() > 0, inputs.monthly.numpy()[..., len(series.channels) + 2]
    lost = target[..., RECO] & ~target[..., 1 - RECO]
    # a whole site that is hidden has nothing left to lose
    assert fixed[0].sum() >= lost.any(1).sum() > 6 and not lost[~fixed[0]].any()
    assert (known[lost] == 0.5).all() and (known[~lost] != 0.5).all()
    assert (inputs.value.numpy()[..., 1 - RECO][lost] != 0).mean() > 0.9
    assert not inputs_of(series, recipe, 0.0, picks).target.numpy()[..., 1].astype(bool)[lost].all()


def test_only_wanted_values_count_in_the_loss(series, recipe, config):
    generator = torch.Generator().manual_seed(0)
    batch = batches.noisy_batch(inputs_of(series, recipe, 0.7, picks_of(series, [2, 3])), quadratic(50),
                                torch.full((12, 1), 20), generator)  # fmt: skip
    model = batches.Denoiser(batch.inputs.monthly.shape[-1], batch.inputs.static.shape[-1], 8, 1, 2, 0.0)
    parts = batches.loss(model, batch)
    wanted = batch.inputs.target[:, None] > 0
    assert float(parts.denominator) == int(wanted.sum()) and not bool(wanted.all())
    expected = float((batch.target[wanted] ** 2).sum())  # an untrained network says zero
    assert float(parts.numerator) == pytest.approx(expected, rel=1e-5)


def test_sites_are_drawn_by_months_that_can_be_targets(series, recipe):
    point, plain = recipe
    batch = training_draw(series.take(np.array([WHOLE, 2])), point[[WHOLE, 2]], plain)(torch.Generator().manual_seed(1))
    assert bool((batch.inputs.target.sum((1, 2)) > 0).all())


def test_the_point_model_learns_nee_where_it_is_alone(series):
    inputs = features(series)
    group = np.arange(len(series.sites)) % 3
    model = PointModel(inputs.shape[-1], 3, 2, 8, 0.0, 0.0)
    draw, _ = make_rows(inputs, series, group, model, PointModelConfig(groups=3, members=2), "cpu")
    rows = draw(torch.Generator().manual_seed(0))
    present = rows.present.bool()
    assert present[..., 0].all() and not present[..., 1].all() and torch.isfinite(rows.targets).all()
    error = ((model(rows.inputs) - rows.targets) ** 2 * rows.weights[..., None])[present].sum()
    parts = row_loss(model, rows)
    assert float(parts.numerator) == pytest.approx(float(error), rel=1e-5)
    assert float(parts.denominator) == pytest.approx(float((rows.weights * present.float().mean(-1)).sum()), rel=1e-6)


@pytest.mark.parametrize(("which", "share"), [("alone", 0.25), ("complete", 0.0)])
def test_reco_is_lost_in_training_only_where_towers_have_such_months(
    which, share, alone, towers, splits, statistics, config, monkeypatch
):
    seen = []
    real = batches.Recipe
    monkeypatch.setattr(fit.batches, "Recipe", lambda *given: seen.append(given[4]) or real(*given))
    fit.train_imputation(alone if which == "alone" else towers, splits, statistics, 0, config, seed=0)
    assert seen == [share]


def test_reco_given_nee_is_scored(trained, towers, alone, splits, config):
    sums = score_hidden(trained[0], alone, splits, 0, config, seed=3)
    found = table(sums.assign(fold=0, seed=3, igbp="ENF", cluster=sums["site"]))
    found = found[found["igbp"] == ALL]
    assert np.isfinite(found[["crps", "mae", "bias"]]).all(axis=None)
    of_kind = found[(found["gap"] == NEE_ALONE) & (found["fold"] == "0")]
    assert set(of_kind["flux"]) == {"gpp", "reco"} and "interpolation" not in set(of_kind["method"])
    monthly = found[(found["fold"] == "0") & (found["scale"] == "monthly") & (found["method"] == "diffusion")]
    counts = monthly.set_index(["gap", "flux"])["values"]
    assert counts[ALL, "nee"] == sum(counts[kind, "nee"] for kind in KINDS)
    assert counts[ALL, "reco"] == sum(counts[kind, "reco"] for kind in KINDS)


def test_gpp_is_hidden_where_one_of_the_two_is():
    unseen = np.array([[True, True], [False, True], [True, False], [False, False]])
    assert hidden_fluxes(unseen, np.array([True, True, False, True])).tolist() == [
        [True, True, True], [True, True, False], [False, False, True], [False, False, False],
    ]  # fmt: skip


def test_a_class_without_partitioning_has_the_climatology_of_all(series):
    classes = series.classes.copy()
    classes[WHOLE] = "WET"
    object.__setattr__(series, "classes", classes)
    moments = _class_climatology(series)
    month = int(series.phase[WHOLE][series.observed[WHOLE]][0])
    for own, general in zip(moments["WET", month], moments["", month], strict=True):
        assert np.isfinite(own).all() and own[1] == general[1]
    assert moments["WET", month][0][0] != moments["", month][0][0]
