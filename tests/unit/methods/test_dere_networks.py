"""Closure, starting points and shapes of the networks of DERE."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dere.exchange.co2 import EXCHANGE
from dere.layers.positive import EASE, positive
from dere.methods.dere.networks.adapter import TypeAdapter
from dere.methods.dere.networks.competition import CompetitionNetwork
from dere.methods.dere.networks.dere import DereNetwork, monthly, pure_outputs, weight_types
from dere.methods.dere.networks.gate import Gate
from dere.methods.dere.networks.plant_types import SMALLEST, PlantTypeNetwork
from dere.methods.dere.networks.potential import Potential
from dere.methods.dere.networks.pure import PureNetwork
from dere.training.optimiser import optimiser_of
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


CHANNELS = ("light_use_efficiency", "potential_gpp_lai", "potential_gpp_evi", "lloyd_taylor", "shortwave")
KNOWING = replace(BLUEPRINT, driver_names=CHANNELS)


def knowing(site):
    return {**site, "drivers": site["drivers"].abs() * 4}


def test_the_gate_mixes_stands_and_physics_by_hand(site):
    drivers = knowing(site)["drivers"]
    gate = Gate(KNOWING, CompetitionNetwork(KNOWING).normaliser, "both")
    assert gate.share().tolist() == [0.5, 0.5, 0.5]
    with torch.no_grad():
        gate.raw.copy_(torch.logit(torch.tensor([0.2, 0.5, 0.9])))
    stands = torch.rand(2, 24, 7)
    mixed = gate(stands, drivers)
    gpp = 0.8 * (drivers[..., 1] + drivers[..., 2]) / 2
    std = dict(zip(TARGETS, BLUEPRINT.statistics.target_std, strict=True))
    potential = {"gpp": gpp / std["gpp"], "ra": 0.5 * gpp / std["ra"], "rh": drivers[..., 3] / std["rh"]}
    for name, share in (("gpp", 0.2), ("ra", 0.5), ("rh", 0.9)):
        column = EXCHANGE.free.index(name)
        before = [torch.log(torch.expm1(x + EASE)) for x in (stands[..., column], potential[name])]
        expected = torch.log1p(torch.exp((1 - share) * before[0] + share * before[1])) - EASE
        torch.testing.assert_close(mixed[..., column], expected, rtol=1e-4, atol=1e-5)
    others = [EXCHANGE.free.index(name) for name in ("height", "agb", "soil_carbon", "lai")]
    torch.testing.assert_close(mixed[..., others], stands[..., others])


def test_a_gate_of_nothing_gives_the_stands_and_one_of_all_gives_physics(site):
    drivers = knowing(site)["drivers"]
    stands = torch.rand(2, 24, 7)
    normaliser = CompetitionNetwork(KNOWING).normaliser
    gate, alone = Gate(KNOWING, normaliser, "both"), Gate(KNOWING, normaliser, "physics")
    with torch.no_grad():
        gate.raw.fill_(-40.0)
        torch.testing.assert_close(gate(stands, drivers), stands, rtol=1e-4, atol=1e-5)
        gate.raw.fill_(40.0)
        torch.testing.assert_close(gate(stands, drivers), alone(stands, drivers))
    assert alone.raw is None and not any(name.endswith("raw") for name, _ in alone.named_parameters())


def test_weight_decay_leaves_the_share_of_physics_alone():
    gate = Gate(KNOWING, CompetitionNetwork(KNOWING).normaliser, "both")
    with torch.no_grad():
        for parameter in gate.parameters():
            parameter.fill_(0.5)
    optimiser = optimiser_of(list(gate.parameters()), 0.01, 0.5)
    for parameter in gate.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimiser.step()
    assert gate.raw.tolist() == [0.5] * 3
    torch.testing.assert_close(gate.potential.level, torch.full((3,), 0.5 * (1 - 10 * 0.01 * 0.5)))


def test_without_satellites_physics_takes_a_constant_share_of_the_light():
    names = ("light_use_efficiency", "lloyd_taylor", "shortwave_h00", "shortwave_h01", "wind")
    potential = Potential(replace(BLUEPRINT, driver_names=names), torch.tensor([2.0, 4.0, 1.0]))
    month = potential(torch.tensor([0.4, 1.5, 100.0, 300.0, 3.0])[None, None])
    gpp = 0.8 * 0.4 * (2.04 * 0.0864) * 200.0 * 0.5
    torch.testing.assert_close(month[0, 0], torch.tensor([gpp / 2, 0.5 * gpp / 4, 1.5]))


def test_without_knowledge_channels_the_gate_is_refused():
    with pytest.raises(
        ValueError, match=r"no lloyd_taylor and light_use_efficiency.* harmonise\.channels to knowledge"
    ):
        DereNetwork(BLUEPRINT, head="both")


def test_the_budget_closes_with_a_gate_and_frozen_fractions_may_be_cached(site):
    site = knowing(site)
    network = DereNetwork(KNOWING, adapters=True, head="both").eval()
    shake(network)
    pure = pure_outputs(PureNetwork(KNOWING), site["drivers"], site["static"], site["states"], site["ages"])
    inputs = (pure, site["drivers"], site["static"], site["start"], site["states"][:, 3], site["ages"], site["weights"])
    outputs, fractions = network(*inputs)
    assert residual(outputs) < 1e-5
    start = site["start"][:, None].expand(-1, 3, -1)
    yearly = network.plant_types(site["drivers"], site["static"], start, site["ages"])
    again, cached = network(*inputs, yearly)
    torch.testing.assert_close(again, outputs)
    torch.testing.assert_close(cached, fractions)
