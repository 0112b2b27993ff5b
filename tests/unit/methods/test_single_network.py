"""The network of the comparison methods: its sum over ages, its one decoding, its closure."""

from dataclasses import replace

import pytest
import torch

from dere.methods.single_network import SingleNetwork
from dere.methods.single_stages import forward
from dere.training.windows import Windows
from small_networks import BLUEPRINT, STATISTICS, residual, shake
from small_networks import site as make_site


@pytest.fixture
def site():
    return make_site()


def test_kgml_sum_is_the_weighted_sum_of_ages(site):
    network = SingleNetwork(BLUEPRINT).eval()
    shake(network)
    torch.nn.init.zeros_(network.level.layers[-1].weight)
    torch.nn.init.zeros_(network.level.layers[-1].bias)
    targets = network(site["drivers"], site["static"], site["states"][:, 3], site["ages"], site["weights"])
    per_age = network.ages(site["drivers"], site["static"], site["states"][:, 3], site["ages"])
    gpp = (per_age[..., 4] * site["weights"][..., None]).sum(1) * network.normaliser.scale[4]
    torch.testing.assert_close(targets[..., 4], gpp, rtol=1e-3, atol=1e-3)
    assert residual(targets) < 1e-5


@pytest.mark.parametrize("per_age", [True, False])
def test_baseline_decodes_the_age_weighted_state_once_and_kgml_every_age(per_age, site):
    network = SingleNetwork(BLUEPRINT).eval()
    shake(network)
    windows = Windows(
        ids=None,
        place=torch.arange(2),
        start=torch.zeros(2, dtype=torch.long),
        length=24,
        drivers=site["drivers"],
        static=site["static"],
        ages=site["ages"],
        age_weight=site["weights"],
        fractions=None,
        years=None,
        initial=site["states"],
    )
    mixture, weights = site["states"][:, 3], site["weights"]
    expected = []
    for row in range(2):
        if per_age:
            state, ages, weight = mixture[row], site["ages"], weights[row]
        else:
            state = sum(weights[row, age] * mixture[row, age] for age in range(3))[None]
            ages, weight = (weights[row] * site["ages"]).sum()[None], torch.ones(1)
        one = (site["drivers"][row], site["static"][row], state, ages, weight)
        expected.append(network(*(x[None] for x in one))[0])
    with torch.no_grad():
        found = forward(network, windows, torch.arange(2), per_age, "cpu")
    torch.testing.assert_close(found, torch.stack(expected).detach(), rtol=1e-4, atol=1e-5)


def test_without_a_simulation_the_condition_is_the_age_alone(site):
    alone = replace(BLUEPRINT, exchange=replace(BLUEPRINT.exchange, states=()))
    assert alone.condition == 1 and BLUEPRINT.condition == 11
    no_state = torch.zeros(2, 3, 0)
    normaliser = SingleNetwork(replace(alone, statistics=STATISTICS, exchange=BLUEPRINT.exchange)).normaliser
    condition = normaliser.condition(no_state, site["ages"])
    torch.testing.assert_close(condition, (torch.log1p(site["ages"]) / 3 - 1).repeat(2)[:, None])
