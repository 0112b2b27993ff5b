from dataclasses import replace

import numpy as np
import pytest
import torch

from dere.config.imputation import PointModelConfig
from dere.imputation.point import PointModel, assign_groups, features, make_rows, row_loss
from dere.imputation.series import build


def test_clusters_stay_whole_and_groups_are_even():
    clusters = np.array([7, 7, 7, 1, 2, 3, 3, 4])
    groups = assign_groups(clusters, 4, seed=0)
    for cluster in np.unique(clusters):
        assert len(np.unique(groups[clusters == cluster])) == 1
    assert np.bincount(groups).max() <= 3 and len(np.unique(groups)) == 4
    with pytest.raises(ValueError, match="1 cluster"):
        assign_groups(np.zeros(3), 4, seed=0)


def test_a_group_is_predicted_by_networks_that_never_saw_it(towers, splits, statistics):
    series = build(towers, splits, statistics)
    inputs = features(series)
    group = np.arange(15) % 3
    config = PointModelConfig(groups=3, members=2)
    model = PointModel(inputs.shape[-1], 3, 2, 8, 0.0, 0.0)
    draw, held = make_rows(inputs, series, group, model, config, "cpu")
    batch = draw(torch.Generator().manual_seed(0))
    site, time = np.nonzero(series.observed)
    rows = inputs[site, time]
    for network in range(6):
        own = {tuple(r) for r in rows[group[site] == network // 2]}
        assert not own & {tuple(r) for r in batch.inputs[network].numpy()}
        used = held[0].inputs[network][held[0].weights[network] > 0].numpy()
        assert {tuple(r) for r in used} == own
    gradient = torch.autograd.grad(row_loss(model.train(), batch).mean, model.weights[0])[0]
    assert gradient.shape[0] == 8


def test_prediction_takes_the_networks_of_the_group():
    torch.manual_seed(0)
    model = PointModel(3, 2, 1, 4, 0.0, 0.0)
    torch.nn.init.normal_(model.weights[-1])
    inputs = np.random.default_rng(0).normal(size=(1, 6, 3)).astype(np.float32).repeat(3, 0)
    made = model.predict(inputs, np.array([0, 1, 2]))
    assert made.shape == (3, 6, 2)
    assert not np.allclose(made[0], made[1]) and not np.allclose(made[1], made[2])
    with torch.no_grad():
        assert np.allclose(made[1], model(torch.from_numpy(inputs[:1, :]))[1].numpy(), atol=1e-6)


def test_inputs_have_the_same_width_for_any_choice_of_sites(towers, splits, statistics):
    """A channel without variation at some sites (a dark hour of shortwave) must not change the network's inputs."""
    series = build(towers, splits, statistics)
    flat = series.drivers.copy()
    flat[0, :, 2] = 0
    one = replace(series, drivers=flat).take(np.arange(1))
    assert features(one).shape[-1] == features(series).shape[-1]
