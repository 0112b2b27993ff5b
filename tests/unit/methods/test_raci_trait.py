"""A smooth trait of the region, of which no driver and no attribute tells, is heard from the towers around."""

import numpy as np
import pytest
import torch

from dere.backbones import declaration
from dere.exchange.co2 import EXCHANGE
from dere.layers.blueprint import Blueprint
from dere.layers.inputs import Statistics
from dere.methods.raci.asking import asking
from dere.methods.raci.bank import BankPart, entries
from dere.methods.raci.description import described
from dere.methods.raci.network import RaciNetwork
from dere.methods.raci.training import forward, start_temperatures
from dere.training.read_places import Labels
from dere.training.tower_data import TowerData, flux_loss
from dere.training.windows import windows_of
from strewn_towers import MONTHS, SITES, places

LEARNED, KM = 200, 111.0
"""Towers that train; kilometres of a degree."""


def regional(here, scale=500.0, seed=4):
    """Smooth field of correlation length ``scale`` km, from 0.5 to 1.5."""
    rng = np.random.default_rng(seed)
    wave = rng.normal(size=(40, 2)) / scale
    phase = rng.uniform(0, 2 * np.pi, 40)
    position = KM * np.stack([here.lat, here.lon], -1)
    field = np.cos(position @ wave.T + phase).sum(1) / np.sqrt(20)
    return 1 + 0.5 * np.tanh(field)


def made_world(here, trait):
    """Labels and the settings of networks: GPP is light use times the trait."""
    x, y = here.drivers[..., 0], here.drivers[..., 1]
    gpp = 3 * trait[:, None] * np.log1p(np.exp(x + 0.5 * y))
    reco = 1 + 1.5 * np.log1p(np.exp(0.5 * y))
    flux = np.stack([gpp, reco, reco - gpp], -1) + 0.2 * np.random.default_rng(3).normal(size=(SITES, MONTHS, 3))
    means = (here.drivers.mean((0, 1)), here.drivers.std((0, 1)), here.static.mean(0), here.static.std(0))
    targets = [10.0, 3, 6, 2, 3, 1.5, 1.4, -0.1, 1.5, 2.9], [6.0, 4, 3, 2, 3, 2, 1, 1.5, 1.6, 2.5]
    fluxes = flux.mean((0, 1)), flux.std((0, 1))
    statistics = Statistics(*(torch.as_tensor(np.array(v), dtype=torch.float32) for v in (*means, *targets, *fluxes)))
    blueprint = Blueprint(
        "lags", declaration("lags").section(width=16), MONTHS, statistics, EXCHANGE, here.driver_names
    )
    windows = windows_of(here, Labels(flux.astype(np.float32), np.ones(flux.shape, np.float32)))
    channels = EXCHANGE.of_outputs(EXCHANGE.names)
    learned, rest = torch.arange(LEARNED), torch.arange(LEARNED, SITES)
    return flux, TowerData(windows, learned, rest, statistics.flux_std, torch.ones(SITES, 3), channels), blueprint


def heard(retrieval, steps=250):
    """Share of what the trait makes of mean GPP that a trained network predicts, at towers that did not train."""
    here = places()
    trait = regional(here)
    flux, data, blueprint = made_world(here, trait)
    own = blueprint.statistics
    found = entries(here, described(here), flux, np.arange(LEARNED), own.flux_mean, own.flux_std)
    nothing = {name: value[:0] for name, value in found.tensors.items()}
    facts = {"cells": {"id": [], "cluster": []}, "towers": found.facts()}
    torch.manual_seed(0)
    network = RaciNetwork(blueprint, 16, 8, retrieval, {"cells": BankPart(nothing), "towers": BankPart(found.tensors)})
    start_temperatures(network, here.take(np.arange(LEARNED)), "towers", facts)
    asked = asking(here, network, facts)
    optimiser = torch.optim.AdamW(network.parameters(), lr=5e-3, weight_decay=0.01)
    generator = torch.Generator().manual_seed(1)
    network.train()
    for _ in range(steps):
        index = data.training[torch.randint(LEARNED, (16,), generator=generator)]
        optimiser.zero_grad()
        prediction = forward(network, data.windows, asked, index, "cpu")
        flux_loss(prediction, data, index, 0.0, data.share(index)).mean.backward()
        optimiser.step()
    network.eval()
    with torch.no_grad():
        predicted = forward(network, data.windows, asked, data.validation, "cpu")[..., data.channels[0]].numpy()
    mean, own = flux[LEARNED:, :, 0].mean(1), trait[LEARNED:]
    of_trait = mean / own * (own - own.mean())
    return 1 - np.sum((predicted.mean(1) - mean) ** 2) / np.sum(of_trait**2)


def test_a_trait_of_the_region_is_heard_from_near_towers():
    assert heard("all") > 0.5


@pytest.mark.parametrize("retrieval", ["none", "random"])
def test_without_near_towers_nothing_tells_of_it(retrieval):
    assert heard(retrieval, steps=100) < 0.1
