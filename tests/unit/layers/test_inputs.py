"""Scales of inputs, states and outputs."""

from dataclasses import replace

import numpy as np
import torch

from dere.exchange.co2 import EXCHANGE
from dere.layers.inputs import Normaliser
from dere.layers.positive import FLOOR
from dere.variables import FREE_TARGETS, TARGETS
from small_networks import STATISTICS, residual

NORMALISER = Normaliser(STATISTICS, EXCHANGE)


def test_outputs_are_the_free_channels_in_their_units_and_what_follows_from_them():
    free = torch.rand(3, 12, 7, generator=torch.Generator().manual_seed(0))
    outputs = NORMALISER.outputs(free)
    for channel, name in enumerate(FREE_TARGETS):
        place = TARGETS.index(name)
        torch.testing.assert_close(outputs[..., place], free[..., channel] * STATISTICS.target_std[place])
    assert residual(outputs) < 1e-5


def test_a_state_and_its_scaled_start_are_each_others_inverse():
    state = NORMALISER.outputs(torch.rand(2, 3, 7, generator=torch.Generator().manual_seed(1)))
    torch.testing.assert_close(NORMALISER.outputs(NORMALISER.start(state)), state)
    assert torch.equal(NORMALISER.start(torch.zeros(2, 3, 0)), torch.zeros(2, 3, 7))


def test_states_are_compressed_with_their_sign_and_followed_by_the_age():
    state = torch.tensor([-100.0, 0.0, 1.0, 1e4]).expand(10, -1).T[:, None]
    ages = torch.tensor([[1.0], [10.0], [100.0], [300.0]])
    condition = NORMALISER.condition(state, ages)
    std = STATISTICS.target_std.numpy()
    expected = np.sign(state[:, 0]) * np.log1p(np.abs(state[:, 0].numpy()) / std)
    np.testing.assert_allclose(condition[:, :10], expected, rtol=1e-5)
    np.testing.assert_allclose(condition[:, 10], np.log1p(ages[:, 0]) / 3 - 1, rtol=1e-5)


def test_the_centre_is_above_the_floor_except_where_a_channel_may_be_negative():
    low = replace(STATISTICS, target_mean=-STATISTICS.target_mean)
    assert (Normaliser(low, EXCHANGE).centre == 10 * FLOOR).all()
    signed = Normaliser(low, replace(EXCHANGE, signed=("rh",))).centre
    place = FREE_TARGETS.index("rh")
    assert float(signed[place]) == np.float32(-1.4)
    assert (np.delete(signed.numpy(), place) == np.float32(10 * FLOOR)).all()


def test_statistics_travel_with_the_weights():
    assert set(NORMALISER.state_dict()) == {
        f"{what}_{part}" for what in ("driver", "static", "target") for part in ("mean", "std")
    }
