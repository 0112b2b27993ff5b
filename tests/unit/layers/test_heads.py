"""Where heads start, what moves together, and channels that may be negative."""

from dataclasses import replace

import pytest
import torch

from dere.exchange.co2 import EXCHANGE
from dere.layers.heads import LevelHead, StateHead
from dere.layers.inputs import Normaliser
from small_networks import STATISTICS, shake

SIGNED = replace(EXCHANGE, signed=("rh",))
"""The same exchange with a free channel that may be negative, which moves with one that never is."""


def test_level_head_starts_at_zero_and_moves_gpp_and_respiration_together():
    head = LevelHead(4, EXCHANGE).eval()
    free = torch.rand(3, 24, 7) + 0.1
    static = torch.randn(3, 4)
    torch.testing.assert_close(head(free, static), free, rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        head.layers[-1].bias.copy_(torch.tensor([1.0, 0.0, -1.0, 0.0]))
    moved = head(free, static)
    assert (moved[..., 4] > free[..., 4]).all() and (moved[..., 5:] < free[..., 5:]).all()
    torch.testing.assert_close(moved[..., :4], free[..., :4], rtol=1e-4, atol=1e-5)


def test_channels_that_may_be_negative_move_by_themselves():
    head = LevelHead(4, SIGNED).eval()
    free = torch.rand(3, 24, 7) + 0.1
    free[..., 6] -= 2.0
    static = torch.randn(3, 4)
    torch.testing.assert_close(head(free, static), free, rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        head.layers[-1].bias.copy_(torch.tensor([0.0, 0.0, -1.0, 0.0]))
    moved = head(free, static)
    torch.testing.assert_close(moved[..., 6], free[..., 6] - 1.0)
    assert (moved[..., 5] < free[..., 5]).all() and (moved[..., :6] >= 0).all()
    torch.testing.assert_close(moved[..., :5], free[..., :5], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("exchange", [EXCHANGE, SIGNED])
def test_a_head_starts_at_the_training_mean_and_slow_states_at_their_own(exchange):
    normaliser = Normaliser(STATISTICS, exchange)
    head = StateHead(16, normaliser.centre, exchange)
    initial = torch.rand(5, 7) + 0.5
    out = head(torch.zeros(5, 12, 16), initial)
    slow = [exchange.free.index(name) for name in exchange.slow]
    fast = [channel for channel in range(7) if channel not in slow]
    torch.testing.assert_close(out[..., slow], initial[:, None, slow].expand(-1, 12, -1), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(out[..., fast], normaliser.centre[fast].expand(5, 12, -1), rtol=1e-3, atol=1e-3)
    shake(head)
    wild = head(10 * torch.randn(5, 12, 16, generator=torch.Generator().manual_seed(0)), initial)
    assert (wild[..., :6] >= 0).all() and bool((wild[..., 6] < 0).any()) == (exchange is SIGNED)
