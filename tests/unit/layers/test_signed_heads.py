"""Heads of an exchange that has channels of both signs."""

from dataclasses import replace

import pytest
import torch

from dere.exchange.base import Exchange
from dere.layers.heads import LevelHead, StateHead

POSITIVE = Exchange("toy", fluxes=(), free=("loss", "net"), basis=("net",))
MIXED = replace(POSITIVE, signed=("net",))


def level(exchange):
    """A level head that moves every channel, and values of both signs where the exchange has some."""
    torch.manual_seed(0)
    head = LevelHead(3, exchange).eval()
    torch.nn.init.normal_(head.layers[-1].weight, std=0.1)
    torch.nn.init.normal_(head.layers[-1].bias, std=0.1)
    return head


@pytest.mark.parametrize("head", [StateHead(4, torch.tensor([1.0, -0.5]), MIXED), level(MIXED)], ids=["state", "level"])
def test_gradients_are_finite_where_a_channel_is_negative(head):
    torch.manual_seed(1)
    free = torch.rand(2, 24, 2) - torch.tensor([0.0, 0.5])
    given = (free, torch.randn(2, 3)) if isinstance(head, LevelHead) else (torch.randn(2, 24, 4), free[:, 0])
    given = [x.requires_grad_() for x in given]
    out = head(*given)
    assert (out[..., 1] < 0).any() and (out[..., 0] >= 0).all()
    out.sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in head.parameters() if p.requires_grad)
    assert given[0].grad.isfinite().all()


def test_a_level_shifts_and_stretches_what_may_be_negative():
    head, static = level(MIXED), torch.randn(2, 3)
    free = torch.rand(2, 24, 2) - torch.tensor([0.0, 0.5])
    net, mean = free[..., 1], free.mean(1)
    summary = torch.cat([static, mean.sign() * mean.abs().log1p(), free.std(1).log1p()], -1)
    shift, stretch = head.layers(summary).unflatten(-1, (2, 2))[:, 1].unbind(-1)
    expected = net + shift[:, None] + torch.tanh(stretch)[:, None] * (net - net.mean(1, keepdim=True))
    torch.testing.assert_close(head(free, static)[..., 1], expected)


def test_other_channels_do_not_notice_one_that_may_be_negative():
    free, static = torch.rand(2, 24, 2) + 0.1, torch.randn(2, 3)
    torch.testing.assert_close(level(MIXED)(free, static)[..., 0], level(POSITIVE)(free, static)[..., 0])
