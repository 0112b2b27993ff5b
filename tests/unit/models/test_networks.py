"""Closure, starting points and shapes of the networks."""

import numpy as np
import torch
from dere.models.adapter import TypeAdapter
from dere.models.competition import CompetitionNetwork
from dere.models.dere import DereNetwork, monthly, pure_outputs, weight_types
from dere.models.heads import LevelHead
from dere.models.plant_types import SMALLEST, PlantTypeNetwork
from dere.models.pure import PureNetwork
from dere.models.single import SingleNetwork

from dere.layers.positive import EASE, positive
from dere.physics import closure_residuals
from dere.variables import TARGETS


def residual(targets: torch.Tensor) -> float:
    named = {name: targets[..., i] for i, name in enumerate(TARGETS)}
    return max(float(r.detach().abs().max()) for r in closure_residuals(named).values())


def shake(module: torch.nn.Module, seed: int = 0) -> None:
    """Move every weight, so that zero-initialised parts do something."""
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in module.parameters():
            p.add_(0.3 * torch.randn(p.shape, generator=g))


def build(arguments, adapters=False):
    return DereNetwork(CompetitionNetwork(*arguments), PlantTypeNetwork(*arguments), 4, adapters)


def run_dere(network, arguments, site):
    pure = pure_outputs(PureNetwork(*arguments), site["drivers"], site["static"], site["states"], site["ages"])
    state = site["states"][:, 3]
    return network(pure, site["drivers"], site["static"], site["start"], state, site["ages"], site["weights"])


def test_budget_closes_and_stays_positive_whatever_the_weights(arguments, site):
    network = build(arguments, adapters=True)
    shake(network)
    targets, fractions = run_dere(network, arguments, site)
    assert targets.shape == (2, 24, 10) and fractions.shape == (2, 2, 3)
    assert residual(targets) < 1e-5
    free = [i for i, n in enumerate(TARGETS) if n not in ("npp", "nee")]
    assert (targets[..., free] >= 0).all()
    torch.testing.assert_close(fractions.sum(-1), torch.ones(2, 2))


def test_untrained_competition_level_and_adapter_change_nothing(arguments, site):
    network = build(arguments, adapters=True).eval()
    targets, fractions = run_dere(network, arguments, site)
    pure = pure_outputs(PureNetwork(*arguments), site["drivers"], site["static"], site["states"], site["ages"])
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


def test_competition_can_overrule_what_the_pure_stands_say(arguments, site):
    """With a stretch of -1 the result is the shift alone: zero flux can be raised, and another sum changes nothing."""
    network = CompetitionNetwork(*arguments).eval()
    with torch.no_grad():
        network.out.bias.copy_(torch.tensor([1.0] * 7 + [-20.0] * 7))
    inputs = site["drivers"], site["static"]
    others = site["states"][:, 3, :1], torch.ones(2, 1), torch.full((2, 1, 24, 3), 1 / 3)
    dormant, usual = torch.zeros(2, 1, 24, 7), 3 * torch.rand(2, 1, 24, 7)
    expected = torch.full((2, 1, 24, 7), float(positive(torch.tensor(1.0)) - EASE))
    for weighted in (dormant, usual):
        torch.testing.assert_close(network(*inputs, weighted, *others), expected, rtol=1e-4, atol=1e-5)


def test_level_head_starts_at_zero_and_moves_gpp_and_respiration_together(statistics):
    head = LevelHead(4).eval()
    free = torch.rand(3, 24, 7) + 0.1
    static = torch.randn(3, 4)
    torch.testing.assert_close(head(free, static), free, rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        head.layers[-1].bias.copy_(torch.tensor([1.0, 0.0, -1.0, 0.0]))
    moved = head(free, static)
    assert (moved[..., 4] > free[..., 4]).all() and (moved[..., 5:] < free[..., 5:]).all()
    torch.testing.assert_close(moved[..., :4], free[..., :4], rtol=1e-4, atol=1e-5)


def test_untrained_plant_types_persist(arguments, site):
    network = PlantTypeNetwork(*arguments).eval()
    start = site["start"][:, None].expand(-1, 3, -1)
    out = network(site["drivers"], site["static"], start, site["ages"])
    expected = start.clamp_min(SMALLEST) / start.clamp_min(SMALLEST).sum(-1, keepdim=True)
    torch.testing.assert_close(out, expected[:, :, None].expand_as(out))


def test_slow_states_start_from_the_initial_state(arguments, site):
    network = PureNetwork(*arguments).eval()
    pure = pure_outputs(network, site["drivers"], site["static"], site["states"], site["ages"])
    before = site["states"][:, 0, :, 1] / network.normaliser.scale[1]
    ratio = pure[:, :, 0, :, 1].mean(-1) / before
    assert ((ratio > 0.5) & (ratio < 2.0)).all()


def test_kgml_sum_is_the_weighted_sum_of_ages(arguments, site):
    network = SingleNetwork(*arguments).eval()
    shake(network)
    torch.nn.init.zeros_(network.level.layers[-1].weight)
    torch.nn.init.zeros_(network.level.layers[-1].bias)
    targets = network(site["drivers"], site["static"], site["states"][:, 3], site["ages"], site["weights"])
    per_age = network.ages(site["drivers"], site["static"], site["states"][:, 3], site["ages"])
    gpp = (per_age[..., 4] * site["weights"][..., None]).sum(1) * network.normaliser.scale[4]
    torch.testing.assert_close(targets[..., 4], gpp, rtol=1e-3, atol=1e-3)
    assert residual(targets) < 1e-5


def test_weighted_sum_matches_loops():
    pure, fractions = torch.rand(2, 3, 3, 24, 7), torch.rand(2, 3, 24, 3)
    slow = np.zeros((2, 3, 24, 7))
    for p in range(3):
        slow += pure[:, :, p].numpy() * fractions[..., p : p + 1].numpy()
    np.testing.assert_allclose(weight_types(pure, fractions), slow, rtol=1e-5)
    assert monthly(torch.rand(1, 2, 2, 3)).shape == (1, 2, 24, 3)


def test_adapter_is_small():
    assert sum(p.numel() for p in TypeAdapter().parameters()) == 18
