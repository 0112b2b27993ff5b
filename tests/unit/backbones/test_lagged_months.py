"""The network of lagged months: what a month reads, and that its driver part is shared."""

import numpy as np
import pytest
import torch

from dere.backbones.lags.network import lagged_months
from dere.methods.tree_features import lagged, running_mean
from small_backbones import inputs, make


def test_lags_and_means_are_those_of_the_trees():
    drivers = torch.randn(2, 30, 3, dtype=torch.float64)
    made = lagged_months(drivers, (1, 3), (3, 12)).numpy()
    for place in range(3):
        series = drivers[..., place].numpy()
        wanted = [series, lagged(series, 1), lagged(series, 3), running_mean(series, 3), running_mean(series, 12)]
        np.testing.assert_allclose(made[..., place::3], np.stack(wanted, -1), rtol=1e-12)


def test_a_window_below_a_year_is_refused():
    with pytest.raises(ValueError, match="has 11 months, at least 12"):
        lagged_months(torch.zeros(1, 11, 1), (1,), (3,))


def test_far_values_count_as_the_clip():
    network = make("lags").eval()
    drivers, static, condition, dynamic = inputs()
    drivers[0, 5, 0], static[1, 2] = 4.0, -4.0
    near = network.decode(network.encode(drivers, static), condition, dynamic)
    drivers[0, 5, 0], static[1, 2] = 400.0, -90.0
    torch.testing.assert_close(network.decode(network.encode(drivers, static), condition, dynamic), near)
    drivers[0, 5, 0] = 3.0
    assert not torch.allclose(network.decode(network.encode(drivers, static), condition, dynamic), near)
