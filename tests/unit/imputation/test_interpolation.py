"""Optimal interpolation on trees: what may be seen, what is kept, and half of the trajectories of the mix."""

from dataclasses import replace

import numpy as np
import pytest

from dere.imputation.fit import train_imputation
from dere.imputation.interpolation import arrays_of, fit_interpolation, interpolate, read_interpolation
from dere.imputation.sampling import trajectories, ways
from dere.imputation.series import select, series_of, site_ids
from dere.imputation.stretches import WAYS, Request, Stretch
from dere.imputation.trees import inputs_of, predict_trees


@pytest.fixture(scope="module")
def training(towers, splits, statistics, config):
    return series_of(select(towers, site_ids(splits, 0, "training")), splits, statistics, config)


@pytest.fixture(scope="module")
def groups(training):
    return np.arange(len(training.sites)) % 3


@pytest.fixture(scope="module")
def fitted(training, groups):
    return fit_interpolation(training, groups, 3, seed=0)


def whole(series, site, known):
    return [Request(Stretch(site, 6, 54), known[6:54])]


def test_a_tower_is_predicted_by_trees_that_never_saw_its_group(training, groups, fitted):
    other = training.flux.copy()
    other[groups == 1] *= 3.0
    again = fit_interpolation(replace(training, flux=other), groups, 3, seed=0)
    inputs, own = inputs_of(training), groups == 1
    before, after = (predict_trees(one.trees, inputs, groups) for one in (fitted, again))
    assert (before[own] == after[own]).all()
    assert not np.allclose(before[~own], after[~own])
    unseen = np.full(len(groups), 3)
    assert not np.allclose(predict_trees(fitted.trees, inputs, unseen), predict_trees(again.trees, inputs, unseen))


def test_known_months_draw_the_level_of_a_site(training, groups, fitted):
    raised = training.flux.copy()
    raised[2, :, 1] += 2.0
    series = replace(training, flux=raised)
    guess = fitted.predict(series, groups)
    known = series.known[2].copy()
    known[24:36] = False
    made = interpolate(fitted, series, guess, whole(series, 2, known), 200, 0)[0]
    hidden = ~known[6:54].any(-1) & series.complete[2, 6:54]
    error = lambda value: np.abs(value - raised[2, 6:54])[hidden, 1].mean()  # noqa: E731
    assert error(made.mean(0)) < 0.4 * error(guess[2, 6:54])
    seen = known[6:54]
    assert (made[:, seen] == raised[2, 6:54][seen]).all()


def test_months_that_are_not_known_change_nothing(training, groups, fitted):
    known = training.known[2].copy()
    known[24:36] = False
    other = training.flux.copy()
    other[2, 24:36] = 77.0
    guess = fitted.predict(training, groups)
    one, two = (
        interpolate(fitted, series, guess, whole(series, 2, known), 8, 0)[0]
        for series in (training, replace(training, flux=other))
    )
    assert (one == two).all()


def test_reco_follows_from_a_known_nee(training, groups, fitted):
    known = training.known[2].copy()
    known[:, 1] = False
    guess = fitted.predict(training, groups)
    made = interpolate(fitted, training, guess, whole(training, 2, known), 8, 0)[0]
    seen = known[6:54, 0]
    assert (made[:, seen, 0] == training.flux[2, 6:54, 0][seen]).all()
    assert (made[:, seen, 1].std(0) > 0).all()


def test_all_is_kept_in_arrays(training, groups, fitted):
    again = read_interpolation(arrays_of(fitted))
    assert (again.predict(training, groups) == fitted.predict(training, groups)).all()
    assert np.array_equal(again.errors.kernel.shares, fitted.errors.kernel.shares)
    assert again.errors.dof == fitted.errors.dof


def test_the_mix_is_half_of_each_and_every_trajectory_whole(trained, training):
    imputer = trained[0]
    point = imputer.predict_point(training)
    known = training.known[2].copy()
    known[24:36] = False
    request = whole(training, 2, known)
    factors = imputer.spread.clone()
    imputer.spread.fill_(1.0)
    mixed = trajectories(imputer, training, point, request, 7, 3)[0]
    imputer.spread.copy_(factors)
    made = ways(imputer, training, point, request, 4, 3, names=("diffusion",))["diffusion"][0]
    rest = interpolate(
        imputer.interpolation,
        training,
        imputer.interpolation.predict(training, imputer.groups_of(training)),
        request,
        3,
        3,
    )[0]
    assert np.allclose(mixed, np.concatenate([made, rest]), atol=1e-9)
    assert set(ways(imputer, training, point, request, 2, 3)) == set(WAYS)


def test_towers_with_a_few_months_are_enough(training, groups):
    few = training.flux.copy()
    few[:, :20] = few[:, 24:] = np.nan
    made = fit_interpolation(replace(training, flux=few), groups, 3, seed=0)
    assert np.isfinite(made.predict(training, groups)).all()


def test_too_few_months_are_a_sentence_that_says_how_to_go_on(training, groups):
    few, alone = training.flux.copy(), training.flux.copy()
    few[:, :20] = few[:, 22:] = np.nan
    alone[groups != 1, :, 1] = np.nan
    out = "set imputation.filled_by to diffusion"
    with pytest.raises(ValueError, match=f"only 18 labelled months of gpp.*at least 24 are needed.*{out}"):
        fit_interpolation(replace(training, flux=few), groups, 3, seed=0)
    with pytest.raises(ValueError, match=f"all usable months of reco are in one group.*{out}"):
        fit_interpolation(replace(training, flux=alone), groups, 3, seed=0)


def test_without_trees_there_is_the_diffusion_alone(towers, splits, statistics, config, training):
    alone = config.model_copy(update={"filled_by": "diffusion"})
    imputer, _ = train_imputation(towers, splits, statistics, 0, alone, seed=3)
    assert imputer.interpolation is None and (imputer.spread == 1.0).all()
    request = whole(training, 2, training.known[2])
    point = imputer.predict_point(training)
    assert list(ways(imputer, training, point, request, 2, 3)) == ["diffusion"]
    with pytest.raises(ValueError, match="trained without trees, which mix needs"):
        ways(imputer, training, point, request, 2, 3, names=("mix",))
