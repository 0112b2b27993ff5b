"""Closure, starting points and shapes of the networks of DERE."""

import numpy as np
import pytest
import torch

from dere.exchange.co2 import EXCHANGE
from dere.layers.positive import EASE, positive
from dere.methods.dere.networks.adapter import TypeAdapter
from dere.methods.dere.networks.competition import CompetitionNetwork
from dere.methods.dere.networks.dere import DereNetwork, monthly, pure_outputs, weight_types
from dere.methods.dere.networks.plant_types import SMALLEST, PlantTypeNetwork
from dere.methods.dere.networks.pure import PureNetwork
from dere.variables import TARGETS
from small_networks import BLUEPRINT, residual, shake
from small_networks import site as make_site


@pytest.fixture
def site():
    return make_site()


def run_dere(network, site):
    pure = pure_outputs(PureNetwork(BLUEPRINT), site["drivers"], site["static"], site["states"], site["ages"])
    state = site["states"][:, 3]
    return network(pure, site["drivers"], site["static"], site["start"], state, site["ages"], site["weights"])


def test_budget_closes_and_stays_positive_whatever_the_weights(site):
    network = DereNetwork(BLUEPRINT, adapters=True)
    shake(network)
    targets, fractions = run_dere(network, site)
    assert targets.shape == (2, 24, 10) and fractions.shape == (2, 2, 3)
    assert residual(targets) < 1e-5
    free = [i for i, n in enumerate(TARGETS) if n not in ("npp", "nee")]
    assert (targets[..., free] >= 0).all()
    torch.testing.assert_close(fractions.sum(-1), torch.ones(2, 2))


def test_untrained_competition_level_and_adapter_change_nothing(site):
    network = DereNetwork(BLUEPRINT, adapters=True).eval()
    targets, fractions = run_dere(network, site)
    pure = pure_outputs(PureNetwork(BLUEPRINT), site["drivers"], site["static"], site["states"], site["ages"])
    # persistence of the start, equal for all ages; then the two weighted sums
    start = site["start"][:, None, None].expand(2, 3, 24, 3)
    expected = torch.einsum("bk,bkwc->bwc", site["weights"], weight_types(pure, start))
    assert fractions.shape == (2, 2, 3)
    torch.testing.assert_close(network.adapter(pure), pure, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        network.competition(
            site["drivers"], site["static"], expected[:, None], site["states"][:, 3, :1], torch.ones(2, 1), start[:, :1]
        )[:, 0],
        expected,
        rtol=1e-4,
        atol=1e-5,
    )
    torch.manual_seed(0)
    assert targets.isfinite().all()


def test_competition_can_overrule_what_the_pure_stands_say(site):
    """With a stretch of -1 the result is the shift alone: zero flux can be raised, and another sum changes nothing."""
    network = CompetitionNetwork(BLUEPRINT).eval()
    with torch.no_grad():
        network.out.bias.copy_(torch.tensor([1.0] * 7 + [-20.0] * 7))
    inputs = site["drivers"], site["static"]
    others = site["states"][:, 3, :1], torch.ones(2, 1), torch.full((2, 1, 24, 3), 1 / 3)
    dormant, usual = torch.zeros(2, 1, 24, 7), 3 * torch.rand(2, 1, 24, 7)
    expected = torch.full((2, 1, 24, 7), float(positive(torch.tensor(1.0)) - EASE))
    for weighted in (dormant, usual):
        torch.testing.assert_close(network(*inputs, weighted, *others), expected, rtol=1e-4, atol=1e-5)


def test_untrained_plant_types_persist(site):
    network = PlantTypeNetwork(BLUEPRINT).eval()
    start = site["start"][:, None].expand(-1, 3, -1)
    out = network(site["drivers"], site["static"], start, site["ages"])
    expected = start.clamp_min(SMALLEST) / start.clamp_min(SMALLEST).sum(-1, keepdim=True)
    torch.testing.assert_close(out, expected[:, :, None].expand_as(out))


def test_slow_states_start_from_the_initial_state(site):
    network = PureNetwork(BLUEPRINT).eval()
    pure = pure_outputs(network, site["drivers"], site["static"], site["states"], site["ages"])
    before = site["states"][:, 0, :, 1] / network.normaliser.scale[1]
    ratio = pure[:, :, 0, :, 1].mean(-1) / before
    assert ((ratio > 0.5) & (ratio < 2.0)).all()


def test_weighted_sum_matches_loops():
    pure, fractions = torch.rand(2, 3, 3, 24, 7), torch.rand(2, 3, 24, 3)
    slow = np.zeros((2, 3, 24, 7))
    for p in range(3):
        slow += pure[:, :, p].numpy() * fractions[..., p : p + 1].numpy()
    np.testing.assert_allclose(weight_types(pure, fractions), slow, rtol=1e-5)
    assert monthly(torch.rand(1, 2, 2, 3)).shape == (1, 2, 24, 3)


def test_adapter_is_small():
    assert sum(p.numel() for p in TypeAdapter(EXCHANGE).parameters()) == 18
