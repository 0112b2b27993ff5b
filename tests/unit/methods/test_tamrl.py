"""TAM-RL: the start is the first stage, a code is of the site and its own months, and it finds a hidden trait."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from dere.backbones import declaration
from dere.exchange.co2 import EXCHANGE
from dere.layers.blueprint import Blueprint
from dere.layers.inputs import Statistics
from dere.methods import single_stages
from dere.methods.single_network import SingleNetwork
from dere.methods.tamrl import training as tamrl
from dere.methods.tamrl.description import described, no_months, own_months
from dere.methods.tamrl.network import ModulatedNetwork
from dere.methods.tamrl.predicting import predict
from dere.training import checkpoint
from dere.training.context import Context
from dere.training.fitted import Support
from dere.training.places import Places
from dere.training.read_places import Labels
from dere.training.tower_data import TowerData, flux_loss
from dere.training.windows import windows_of
from dere.workflow.train import train as train_stage
from stage_jobs import live_job, make_job, with_settings

MONTHS, SITES = 48, 12
"""Two windows of two years each."""


def places(sites=SITES, seed=0, lat=50.0):
    rng = np.random.default_rng(seed)
    level = rng.normal(size=(sites, 1, 3))
    season = np.cos(2 * np.pi * np.arange(MONTHS) / 12)[None, :, None]
    drivers = level + (1 + 0.3 * level) * season + 0.3 * rng.normal(size=(sites, MONTHS, 3))
    ids = np.array([f"XX-{number:03d}" for number in range(sites)])
    return Places(
        ids=ids,
        lat=np.full(sites, lat),
        lon=np.zeros(sites),
        time=pd.date_range("2001-01-15", periods=MONTHS, freq="MS").to_numpy(),
        record=np.ones((sites, MONTHS), bool),
        drivers=drivers.astype(np.float32),
        driver_names=("a", "b", "c"),
        static=rng.normal(size=(sites, 4)).astype(np.float32),
        attributes=tuple("pqrs"),
        classes=pd.DataFrame({"igbp": "", "koppen": "", "cluster": ids}),
        years=np.arange(2001, 2005),
        fractions=np.full((sites, 4, 3), 1 / 3, np.float32),
        vegetated=np.ones((sites, 4), np.float32),
        ages=np.array([50.0], np.float32),
        age_weight=np.ones((sites, 1), np.float32),
        window=24,
        window_place=np.repeat(np.arange(sites), 2),
        window_start=np.tile([0, 24], sites),
        initial=np.ones((2 * sites, 1, 1, len(EXCHANGE.states)), np.float32),
    )


@pytest.fixture(scope="module")
def jobs(canonical, tmp_path_factory):
    """Both stages on the tiny set, as ensembles of two."""
    root, found = tmp_path_factory.mktemp("tamrl"), {}
    for name in ("tamrl_pretrain", "tamrl"):
        job = with_settings(make_job(name, canonical, root, "lags"), learning_rate=1e-2, epochs=4, pull=0.0)
        found[name] = replace(job, params=job.params | {"members": 2})
        train_stage(found[name])
    return found


@pytest.fixture(scope="module")
def stage(jobs):
    """What the second stage left behind, by name."""
    return {"tamrl": checkpoint.read(jobs["tamrl"].output, EXCHANGE)}


def like_the_towers(stage, number=SITES):
    """Places with as many drivers and attributes as the tiny set has."""
    found = places(number)
    width, attributes = (stage["tamrl"].arrays[f"normaliser.{name}_mean"].shape[1] for name in ("driver", "static"))
    rng = np.random.default_rng(5)
    return replace(
        found,
        drivers=rng.normal(2, 1, (number, MONTHS, width)).astype(np.float32),
        static=rng.normal(size=(number, attributes)).astype(np.float32),
        age_weight=np.ones((number, 1), np.float32),
    )


def test_the_second_stage_starts_as_the_first(jobs, tmp_path):
    context = Context(live_job(replace(jobs["tamrl"], output=tmp_path)))
    data = tamrl.load_towers(context)
    given = tamrl.inputs(data.windows, torch.arange(6), "cpu")
    code = torch.randn(6, 32, generator=torch.Generator().manual_seed(0))
    for member in range(2):
        first, second = (
            context.load("tamrl_pretrain", ModulatedNetwork(context.blueprint, 32), member=member).eval()
            for _ in range(2)
        )
        second.start_modulation(0.5)
        torch.testing.assert_close(second(*given, code), first(*given), rtol=0, atol=1e-6)
    assert {getattr(p, "rate", 1.0) for p in [*second.backbone.parameters(), *second.head.parameters()]} == {0.5}
    assert {getattr(p, "rate", 1.0) for p in [*second.task.parameters(), *second.level.parameters()]} == {1.0}


def test_descriptions_of_other_sites_change_predictions(stage):
    here = like_the_towers(stage)
    own = predict(stage, here).mean
    about = described(here)
    exchanged = replace(about, climatology=about.climatology.roll(1, 0), static=about.static.roll(1, 0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dere.methods.tamrl.predicting.described", lambda places: exchanged)
        other = predict(stage, here).mean
    assert (np.abs(other - own).mean((0, 1)) > 0.05 * own.std((0, 1))).all()


def support(here, shown, moved=0.0):
    rng = np.random.default_rng(2)
    values = rng.normal(3, 1, (len(here), MONTHS, 3))
    values[~shown] += moved
    return Support(values, np.full(values.shape, 0.8), shown)


def test_own_months_move_the_prediction_and_no_other_month_does(stage):
    here = like_the_towers(stage)
    shown = np.zeros((SITES, MONTHS, 3), bool)
    without = predict(stage, here).mean
    np.testing.assert_array_equal(predict(stage, here, support(here, shown)).mean, without)
    # months of the first window, of the first half of the sites
    shown[:6, 3:9] = True
    found = predict(stage, here, support(here, shown))
    assert np.abs(found.mean - without)[:6, 24:].max((1, 2)).min() > 1e-3
    np.testing.assert_allclose(found.mean[6:], without[6:], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(predict(stage, here, support(here, shown, moved=7.0)).mean, found.mean)
    np.testing.assert_allclose(found.mean[..., 2], found.mean[..., 1] - found.mean[..., 0], atol=1e-9)


def test_a_site_is_described_by_its_record():
    here = places()
    drivers, record = here.drivers.astype(float), here.record.copy()
    record[0, 14:] = False
    about = described(replace(here, record=record))
    climatology = about.climatology.numpy()
    by_year = drivers.reshape(SITES, 4, 12, 3)
    np.testing.assert_allclose(climatology[1:, :, 0], by_year[1:].mean(1), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(climatology[1:, :, 1], by_year[1:].std(1), rtol=1e-4, atol=1e-5)
    anomaly = (by_year - by_year.mean(1, keepdims=True)).reshape(SITES, MONTHS, 3)
    slope = np.polyfit(np.arange(MONTHS) / 120, anomaly[3], 1)[0]
    np.testing.assert_allclose(climatology[3, :, 2], np.tile(slope, (12, 1)), rtol=1e-3, atol=1e-4)
    # of a record of 14 months
    np.testing.assert_allclose(climatology[0, 5, 0], drivers[0, 5], rtol=1e-5)
    np.testing.assert_allclose(climatology[0, 1, 0], drivers[0, [1, 13]].mean(0), rtol=1e-5)
    later = drivers.copy()
    later[0, 14:] += 9
    same = described(replace(here, record=record, drivers=later.astype(np.float32)))
    torch.testing.assert_close(same.climatology[0], about.climatology[0])
    south = described(places(lat=-30.0)).climatology
    torch.testing.assert_close(south, described(here).climatology.roll(-6, 1))


def test_errors_at_own_months_are_shrunk_means():
    months = torch.nn.functional.one_hot(torch.tensor([[0, 5, 0, 1]]), 12).float()
    error = torch.tensor([[[2.0], [4.0], [1.0], [9.0]]])
    weight = torch.tensor([[[1.0], [0.5], [1.0], [0.0]]])
    own = own_months(error, weight, months)
    assert own.monthly[0, :, 0].tolist() == pytest.approx([3 / 3, 0, 0, 0, 0, 2 / 1.5, *[0] * 6])
    assert own.overall[0].tolist() == pytest.approx([5 / 5.5, np.log(3.5)])
    for found, none in zip(own_months(error, 0 * weight, months), no_months(1, 1), strict=True):
        assert torch.equal(found, none)


def made_world(trait, sites):
    """Towers whose light use is a trait of theirs, with the labels of all; the first 60 % train."""
    here = places(sites)
    x, y = here.drivers[..., 0], here.drivers[..., 1]
    gpp = 3 * trait(here)[:, None] * np.log1p(np.exp(x + 0.5 * y))
    reco = 1 + 1.5 * np.log1p(np.exp(0.5 * y))
    flux = np.stack([gpp, reco, reco - gpp], -1) + 0.2 * np.random.default_rng(3).normal(size=(sites, MONTHS, 3))
    windows = windows_of(here, Labels(flux.astype(np.float32), np.ones(flux.shape, np.float32)))
    means = (here.drivers.mean((0, 1)), here.drivers.std((0, 1)), here.static.mean(0), here.static.std(0))
    targets = [10.0, 3, 6, 2, 3, 1.5, 1.4, -0.1, 1.5, 2.9], [6.0, 4, 3, 2, 3, 2, 1, 1.5, 1.6, 2.5]
    fluxes = flux.mean((0, 1)), flux.std((0, 1))
    statistics = Statistics(*(torch.as_tensor(np.array(v), dtype=torch.float32) for v in (*means, *targets, *fluxes)))
    size = declaration("lags").section(width=16)
    blueprint = Blueprint("lags", size, 24, statistics, EXCHANGE, here.driver_names)
    training, rest = torch.arange(2 * sites).split([2 * (sites * 3 // 5), 2 * sites - 2 * (sites * 3 // 5)])
    channels = EXCHANGE.of_outputs(EXCHANGE.names)
    data = TowerData(windows, training, rest, statistics.flux_std, torch.ones(2 * sites, 3), channels)
    return here, data, blueprint


def trained(network, data, loss, steps):
    optimiser = torch.optim.AdamW(network.parameters(), lr=5e-3, weight_decay=0.01)
    generator = torch.Generator().manual_seed(1)
    for _ in range(steps):
        index = data.training[torch.randint(len(data.training), (16,), generator=generator)]
        optimiser.zero_grad()
        loss(index).mean.backward()
        optimiser.step()
    return network.eval()


def probed(code, wanted):
    """Share of the variance of a trait that is linear in a code, at the sites that did not train."""
    z, train = code.detach().double().numpy(), len(wanted) * 3 // 5
    z = (z - z[:train].mean(0)) / (z[:train].std(0) + 1e-9)
    level = wanted[:train].mean()
    weights = np.linalg.solve(z[:train].T @ z[:train] + 10 * np.eye(z.shape[1]), z[:train].T @ (wanted[:train] - level))
    return 1 - np.mean((wanted[train:] - level - z[train:] @ weights) ** 2) / wanted[train:].var()


def codes(network, data, here):
    """Codes of the sites without own months, and with the twelve of their first year."""
    about, place = described(here), torch.arange(len(here))
    first = torch.arange(0, 2 * len(here), 2)
    shown = torch.zeros(len(here), 24, dtype=torch.bool)
    shown[:, :12] = True
    with torch.no_grad():
        before, _ = tamrl.described_loss(network, data, about, first, 0.0, data.share(first), "cpu")
        own = tamrl.seen(network, before, data, about, first, shown)
        return [tamrl.code_of(network, about, place, known, "cpu") for known in (no_months(len(here), 3), own)]


def modulated(data, here, blueprint, steps=200):
    torch.manual_seed(0)
    network, about = ModulatedNetwork(blueprint, 32), described(here)

    def loss(index):
        return tamrl.episode_loss(network, data, about, index, 0.0, data.share(index), "cpu")

    return trained(network, data, loss, steps)


def test_a_trait_that_goes_with_the_climate_is_in_the_code():
    def trait(here):
        climate = here.drivers.mean(1)
        return 1 + 0.5 * np.tanh(1.5 * climate[:, 0] * climate[:, 1])

    here, data, blueprint = made_world(trait, 200)
    untrained = codes(ModulatedNetwork(blueprint, 32).eval(), data, here)[0]
    assert probed(untrained, trait(here)) < 0.3
    assert probed(codes(modulated(data, here, blueprint), data, here)[0], trait(here)) > 0.5


def test_a_trait_that_no_driver_tells_is_found_in_own_months_alone():
    def trait(here):
        return np.random.default_rng(9).uniform(0.5, 1.5, len(here))

    here, data, blueprint = made_world(trait, 400)
    without, with_months = codes(modulated(data, here, blueprint), data, here)
    assert probed(without, trait(here)) < 0.1 and probed(with_months, trait(here)) > 0.5
    torch.manual_seed(0)
    network, hidden = SingleNetwork(blueprint), []

    def loss(index):
        prediction = single_stages.forward(network, data.windows, index, False, "cpu")
        return flux_loss(prediction, data, index, 0.0, data.share(index))

    trained(network, data, loss, 100).head.out.register_forward_pre_hook(lambda _, given: hidden.append(given[0]))
    single_stages.forward(network, data.windows, torch.arange(0, 800, 2), False, "cpu")
    assert probed(hidden[0].mean(1), trait(here)) < 0.1


def test_shown_months_are_successive_and_not_judged():
    _, data, _ = made_world(lambda here: np.ones(len(here)), 30)
    data.windows.weight[:, ::5] = 0.0
    index = torch.arange(60)
    labelled = (data.windows.labels(index)[1] > 0).any(-1)
    torch.manual_seed(0)
    counts = set()
    for _ in range(10):
        shown = tamrl.episode(data, index)
        assert not (shown & ~labelled).any()
        for row, months in zip(shown, labelled, strict=True):
            inside = row[months].nonzero().flatten()
            counts.add(len(inside))
            assert len(inside) == 0 or int(inside[-1] - inside[0]) == len(inside) - 1
    # all 19 or 20 months of a window where 24 are asked for
    assert {0, 1, 3, 6, 12} < counts and max(counts) >= 19
    prediction = torch.randn(60, 24, len(EXCHANGE.outputs))
    moved = prediction + 5.0 * shown[..., None]
    judged = [tamrl.unshown_loss(p, data, index, 0.0, data.share(index), shown) for p in (prediction, moved)]
    assert judged[0] == judged[1]
    none = tamrl.unshown_loss(prediction, data, index, 0.0, data.share(index), torch.zeros_like(shown))
    whole = flux_loss(prediction, data, index, 0.0, data.share(index))
    assert float(none.mean) == pytest.approx(float(whole.mean))
