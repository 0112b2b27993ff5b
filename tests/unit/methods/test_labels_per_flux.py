"""Methods without a network learn each flux from its own months."""

from dataclasses import replace

import numpy as np
import pytest

from dere.methods.climatology.cycles import tower_cycles
from dere.methods.trees import search as tree_search
from dere.methods.trees.fitting import _intervals, rows_of
from dere.methods.trees.settings import TreesConfig
from dere.training.read_places import Labels
from simple_methods import CO2, FEW, places_of

CONFIG = TreesConfig(**FEW)
SETTING = {"learning_rate": 0.1, "num_leaves": 4, "min_data_in_leaf": 5, "feature_fraction": 1.0,
           "bagging_fraction": 1.0, "lambda_l2": 0.1, "extra_trees": 0.0}  # fmt: skip


@pytest.fixture
def labels(towers):
    """Labels of all towers; every third month of each second one has NEE alone."""
    flux = towers["flux_value"].sel(flux=list(CO2.names)).values.copy()
    flux[::2, ::3, :2] = np.nan
    return Labels(flux, np.where(np.isfinite(flux), towers["flux_quality"].values, 0.0))


@pytest.fixture
def rows(labels, towers, members):
    return rows_of(places_of(towers, members), labels, CO2, CONFIG.inner_folds, np.random.default_rng(0), False)


def test_a_row_is_a_month_of_any_flux_and_weighs_by_flux(rows, labels):
    present = np.isfinite(labels.flux)
    assert len(rows.site) == present.any(-1).sum() > present.all(-1).sum()
    for i, flux in enumerate(CO2.names):
        assert rows.labelled(flux).sum() == present[..., i].sum()
        assert rows.weight[flux].sum() == pytest.approx(labels.quality[present[..., i], i].sum())
        np.testing.assert_array_equal(rows.targets[flux][rows.labelled(flux)], labels.flux[present[..., i], i])


def test_what_is_no_label_of_a_flux_has_no_say_in_it(rows):
    missing = ~rows.labelled("gpp")
    spoiled = replace(rows, targets={**rows.targets, "gpp": np.where(missing, 1e6, rows.targets["gpp"])})
    trial = tree_search.Trial(SETTING, 10, 0.0, 1, np.zeros(0))
    first, second = (tree_search.fit(given, "gpp", trial, CONFIG, 0).model_to_string() for given in (rows, spoiled))
    assert first == second and missing.any()
    held_out = {flux: np.full(len(rows.site), 1.0) for flux in CO2.names}
    for name, values in _intervals(rows, held_out, CO2).items():
        np.testing.assert_array_equal(values, _intervals(spoiled, held_out, CO2)[name])
    best = tree_search.search(rows, "gpp", [SETTING], CONFIG, 0)[0]
    assert best.score == tree_search.search(spoiled, "gpp", [SETTING], CONFIG, 0)[0].score
    assert np.isfinite(best.held_out).all()


@pytest.mark.parametrize("seed", range(4))
def test_few_labels_of_a_flux_are_searched_whole(rows, seed):
    """A third of them may leave an inner fold without any to learn from."""
    few = np.zeros(len(rows.site))
    for fold, count in ((0, 40), (1, 2)):
        few[np.flatnonzero((rows.fold == fold) & rows.labelled("gpp"))[:count]] = 1.0
    weight = {**rows.weight, "gpp": few}
    settings = [SETTING | {"num_leaves": leaves} for leaves in (3, 4, 5, 6)]
    config = CONFIG.model_copy(update={"settings": 4})
    assert np.isfinite(tree_search.search(replace(rows, weight=weight), "gpp", settings, config, seed)[0].score)
    weight["gpp"] = np.where(rows.fold == 0, few, 0.0)
    with pytest.raises(ValueError, match="labels of gpp at the training towers lie in fewer than 2 inner folds"):
        tree_search.search(replace(rows, weight=weight), "gpp", settings, config, seed)


def test_cycles_of_a_flux_are_of_its_own_months(labels, towers):
    month = np.broadcast_to(towers["time"].dt.month.values - 1, labels.flux.shape[:2])
    cycles = tower_cycles(labels.flux, month)
    for i in range(3):
        one = tower_cycles(labels.flux[..., i : i + 1], month)[..., 0]
        np.testing.assert_allclose(cycles[..., i], one, rtol=1e-12)
    assert np.isfinite(cycles[0, :, 2]).sum() > np.isfinite(cycles[0, :, 0]).sum()
