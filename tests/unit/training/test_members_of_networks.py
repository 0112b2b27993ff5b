"""Tower stages as ensembles: what each member learns from, that they train together as alone, what they predict."""

from dataclasses import replace
from functools import partialmethod

import numpy as np
import pytest
import torch

from dere.config.training import TrainingConfig
from dere.exchange.co2 import EXCHANGE
from dere.io import read_netcdf, write_netcdf
from dere.layers.inputs import Normaliser
from dere.methods import single_stages
from dere.training import checkpoint, ensembles
from dere.training.context import Context
from dere.training.loop import LossParts, fit
from dere.training.membership import membership, not_seen
from dere.training.noise import input_noise
from dere.training.snapshots import state_of
from dere.training.stacked import Stacked
from dere.workflow.train import train as train_stage
from small_networks import DRIVERS, STATISTICS
from stage_jobs import at_cells, at_sites, live_job, make_job, with_settings
from stage_jobs import fit as fit_job

CONFIG = TrainingConfig(epochs=4, steps_per_epoch=3, batch=5, learning_rate=1e-2, average=0.9)
MEMBERS = 3
TRAINED = [f"XX-S{i:02d}" for i in (1, 2, 4, 5, 7, 8)]
SETTINGS = {"learning_rate": 5e-3, "pull": 0.01}


def with_members(job, members=MEMBERS):
    return replace(job, params=job.params | {"members": members})


@pytest.fixture(scope="module")
def root(run, canonical, tmp_path_factory):
    """All tower stages as ensembles, on the parents of ``run``."""
    folder = tmp_path_factory.mktemp("members")
    towers = ("baseline", "kgml_towers", "towers", "uncertain")
    for name in run.iterdir():
        if name.name not in towers:
            (folder / name.name).symlink_to(name)
    for name in towers:
        train_stage(with_members(with_settings(make_job(name, canonical, folder), **SETTINGS)))
    return folder


@pytest.fixture
def job(canonical, root, tmp_path):
    """A job of a stage with parents in ``root`` and an output of its own."""

    def job(name, files=canonical, backbone="transformer", **settings):
        made = with_members(with_settings(make_job(name, files, root, backbone), **SETTINGS | settings))
        return replace(made, output=tmp_path / name)

    return job


@pytest.mark.parametrize("stage", ["baseline", "kgml_towers", "towers", "uncertain"])
def test_labels_that_a_member_left_out_change_no_bit_of_it(stage, root, job, canonical, tmp_path):
    towers, labels = read_netcdf(canonical["towers"]), read_netcdf(canonical["labels"])
    site = "XX-S04"
    towers["flux_value"].loc[{"site": site}] *= 3
    labels["label"].loc[{"site": site}] += 5
    files = {
        "towers": write_netcdf(towers, tmp_path / "towers.nc"),
        "labels": write_netcdf(labels, tmp_path / "labels.nc"),
    }
    before, after = checkpoint.read(root / stage, EXCHANGE), fit_job(job(stage, canonical | files))
    left_out = not_seen(before.facts, ["s4"])[:, 0]
    assert before.members == MEMBERS and left_out.sum() == 1
    for member, blind in enumerate(left_out):
        pairs = [(value[member], after.arrays[name][member]) for name, value in before.arrays.items()]
        assert all(np.array_equal(a, b) for a, b in pairs) == bool(blind)


def test_labels_of_test_towers_change_no_bit_of_any_member(root, job, canonical, tmp_path):
    towers = read_netcdf(canonical["towers"])
    towers["flux_value"].loc[{"site": ["XX-S00", "XX-S03", "XX-S06"]}] += 7
    after = fit_job(job("towers", canonical | {"towers": write_netcdf(towers, tmp_path / "towers.nc")}))
    before = checkpoint.read(root / "towers", EXCHANGE)
    assert all(np.array_equal(value, after.arrays[name]) for name, value in before.arrays.items())


def test_the_gradient_of_a_member_is_zero_for_labels_that_it_left_out(root, job):
    """Each loss is differentiated by the labels; the oracle is the list of who left out whom."""
    context = Context(live_job(job("baseline")))
    data = single_stages.load_towers(context)
    networks = [single_stages.SingleNetwork(context.blueprint).eval() for _ in range(MEMBERS)]
    dealt = membership(context.job.roles, MEMBERS, context.job.seed)
    clusters = {f"XX-S{i:02d}": f"s{i}" for i in range(10)}
    shares = ensembles.shares_of(data, dealt, clusters)
    index = data.labelled()
    data.windows.flux = data.windows.flux.requires_grad_()

    def loss(network, index, share):
        prediction = single_stages.forward(network, data.windows, index, False, "cpu")
        return single_stages.flux_loss(prediction, data, index, 0.5, share)

    parts = Stacked(networks).losses(loss, index, shares.of(index))
    for member in range(MEMBERS):
        one = LossParts(parts.numerator[member], parts.denominator[member]).mean
        (gradient,) = torch.autograd.grad(one, data.windows.flux, retain_graph=True)
        names = data.windows.ids[gradient.abs().sum((1, 2)) > 0].tolist()
        assert sorted(names) == [s for s in TRAINED if clusters[s] not in dealt.left_out()[member]]


@pytest.mark.parametrize(
    ("stage", "backbone"),
    [
        *(("baseline", name) for name in ("transformer", "informer", "lstm", "itransformer", "timexer", "simpletm")),
        *((stage, "transformer") for stage in ("kgml_towers", "towers", "uncertain")),
    ],
)
def test_together_is_as_one_after_the_other(stage, backbone, job, monkeypatch):
    """The plain way is the oracle: equal draws, no dropout, so that only the order of sums differs."""
    monkeypatch.setattr(ensembles, "seed_of", lambda seed, member: seed)
    made = job(stage, backbone=backbone, dropout=0.0, epochs=1, pull=3.0, average=0.5, gradient_clip=0.5)
    made = replace(made, params=made.params | {"backbone": made.params["backbone"] | {"dropout": 0.0}})
    # in steps as long as gradients, not as their signs: Adam would walk whole steps along rounding errors
    monkeypatch.setattr(torch.optim.AdamW, "__init__", partialmethod(torch.optim.AdamW.__init__, eps=1e-2))
    # the head has a dropout of its own
    monkeypatch.setattr(torch.nn.Dropout, "forward", lambda self, x: x)
    if backbone == "informer":  # draws keys at random while it trains
        monkeypatch.setattr(torch, "randint", lambda high, size, device=None: torch.arange(size[1]).expand(size) % high)
    together = fit_job(made)
    monkeypatch.setattr(ensembles, "_together", ensembles._in_turn)
    alone = fit_job(replace(made, output=made.output / "alone"))
    assert together.arrays.keys() == alone.arrays.keys()
    for name, value in alone.arrays.items():
        np.testing.assert_allclose(together.arrays[name], value, rtol=1e-4, atol=1e-5, err_msg=name)
    assert together.history["training_loss"].iloc[-1] == pytest.approx(alone.history["training_loss"].iloc[-1], 1e-5)
    assert together.facts["best_validation_loss"] == pytest.approx(alone.facts["best_validation_loss"], 1e-4)


def test_a_network_that_cannot_be_mapped_trains_in_turn(job, monkeypatch):
    monkeypatch.setattr(ensembles, "_together", None)
    fitted = fit_job(job("baseline", backbone="fedformer", epochs=1))
    assert fitted.members == MEMBERS and len(fitted.history) == 2


def test_members_start_from_their_own_member_of_the_stage_before(root, job):
    before = checkpoint.read(root / "towers", EXCHANGE).arrays
    after = fit_job(job("uncertain", learning_rate=1e-9, epochs=1)).arrays
    for name, value in before.items():
        np.testing.assert_allclose(after[f"dere.{name}"], value, atol=1e-6)
    moved = [name for name, value in before.items() if len({one.tobytes() for one in value}) == MEMBERS]
    assert "level.layers.0.weight" in moved and "competition.normaliser.driver_mean" not in moved


def test_the_best_candidate_is_that_of_the_least_loss_at_towers_left_out(job):
    candidates = [{"learning_rate": 1e-9, "pull": 0.0}, {"learning_rate": 1e-2, "pull": 0.0}]
    fitted = fit_job(job("baseline", candidates=candidates, epochs=4))
    losses = fitted.facts["candidate_validation_losses"]
    assert fitted.facts["candidate"] == int(np.argmin(losses)) == 1
    assert fitted.history["validation_loss"].dropna().to_dict() == {4: losses[1]}
    alone = fit_job(job("baseline", learning_rate=1e-2, epochs=4))
    assert fitted.facts["best_validation_loss"] == alone.facts["best_validation_loss"]
    assert all(np.array_equal(value, alone.arrays[name]) for name, value in fitted.arrays.items())


def test_a_killed_training_of_members_goes_on_to_the_same_bits(tmp_path):
    def networks():
        torch.manual_seed(5)
        return [torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Dropout(0.3), torch.nn.Linear(4, 1)) for _ in "ab"]

    x = torch.randn(16, 3, generator=torch.Generator().manual_seed(1))

    def loss(model, index):
        def one(network, index):
            return LossParts(((network(x[index])[:, 0] - x[index, 0]) ** 2).sum(), torch.tensor(float(len(index))))

        return model.losses(one, index)

    def trained(last=None, stop_after=None):
        stacked = Stacked(networks())
        how = {"draw": lambda g: torch.randint(16, (5,), generator=g), "validation": (), "loss": loss, "seed": 0}
        fit(stacked, config=CONFIG, epochs=4, members=2, last=last, stop_after=stop_after, **how)
        return state_of(stacked)

    whole = trained()
    trained(tmp_path / "last.pt", stop_after=2)
    resumed = trained(tmp_path / "last.pt")
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())


@pytest.mark.parametrize("method", ["baseline", "kgml", "dere_towers", "dere"])
def test_predictions_are_means_of_members_and_held_out_by_those_that_left_out(method, root, canonical, tmp_path):
    made = at_sites(method, canonical, root, tmp_path / "sites.nc")
    values, members = made["prediction"].values, made["member_prediction"].values
    assert members.shape == (MEMBERS, *values.shape) and members.dtype == np.float32
    np.testing.assert_allclose(values, members.mean(0), rtol=1e-4, atol=1e-4)
    named = dict(zip(EXCHANGE.names, np.moveaxis(values, -1, 0), strict=True))
    np.testing.assert_allclose(named["reco"] - named["gpp"] - named["nee"], 0, atol=1e-14)
    held_out = made["held_out_prediction"]
    seen = np.isfinite(held_out).all(("time", "flux")).values
    assert made["site"].values[seen].tolist() == TRAINED
    stage = {"baseline": "baseline", "kgml": "kgml_towers", "dere_towers": "towers", "dere": "uncertain"}[method]
    blind = not_seen(checkpoint.read(root / stage, EXCHANGE).facts, [f"s{int(s[-2:])}" for s in TRAINED])
    expected = np.stack([members[blind[:, i], row].mean(0) for i, row in enumerate(np.flatnonzero(seen))])
    np.testing.assert_allclose(held_out.values[seen], expected, rtol=1e-4, atol=1e-4)
    assert (made["std"] > 0).all()


@pytest.mark.parametrize("members", [1, 2, 5])
def test_stages_of_different_numbers_of_members_are_refused(members, job):
    with pytest.raises(ValueError, match=f"stage uncertain has {members}, but towers, .*, was trained with 3; train"):
        fit_job(with_members(job("uncertain"), members))


def test_one_member_is_the_plain_training_with_validation(job):
    made = with_members(job("baseline"), 1)
    fitted = fit_job(made)
    context = Context(live_job(made))
    config, data = context.job.section, single_stages.load_towers(context)
    model = single_stages.SingleNetwork(context.blueprint)

    def loss(network, index):
        prediction = single_stages.forward(network, data.windows, index, False, "cpu")
        flux, weight = data.windows.labels(index)
        weight = weight * data.site_scale[index][:, None] ** config.balance
        error = weight * (prediction[..., data.channels] / data.flux_std - flux / data.flux_std) ** 2
        return LossParts(error.sum(), weight.sum())

    def draw(generator):
        site = data.windows.place[data.training]
        return data.training[torch.multinomial(1 / torch.bincount(site)[site], config.batch, True, generator=generator)]

    fit(model, draw=draw, validation=data.validation.split(config.batch), loss=loss, config=config, seed=0)
    assert "members" not in fitted.facts
    for name, value in model.state_dict().items():
        assert np.array_equal(value.numpy(), fitted.arrays[name]), name


@pytest.mark.parametrize("method", ["kgml", "dere"])
def test_maps_hold_the_closed_mean_and_no_members(method, root, canonical, tmp_path):
    sites = tmp_path / "sites.nc"
    at_sites(method, canonical, root, sites)
    made = at_cells(method, canonical, sites, root, tmp_path / "cells.nc")
    assert not {"member_prediction", "held_out_prediction"} & set(made)
    assert np.isfinite(made["prediction"]).all() and (made["std"] > 0).all()


def test_switches_of_a_training_hold_for_members(job):
    frozen = ["backbone"]
    noisy = fit_job(job("kgml_towers", bf16=True, input_noise=0.2, frozen=frozen, epochs=1))
    plain = job("kgml_towers", frozen=frozen, epochs=1)
    plain = fit_job(replace(plain, output=plain.output / "plain"))
    for name, value in noisy.arrays.items():
        assert np.isfinite(value).all()
        kept = name.startswith(("backbone", "normaliser"))
        assert kept == all(np.array_equal(value[0], one) for one in value)
        assert kept == np.array_equal(value, plain.arrays[name])


def test_noise_on_inputs_is_of_training_alone_and_gone_afterwards():
    normaliser = Normaliser(STATISTICS, EXCHANGE)
    x = torch.zeros(20_000, DRIVERS)
    with input_noise(normaliser, 0.3):
        assert float(normaliser.train().drivers(x).std()) == pytest.approx(0.3, rel=0.05)
        assert torch.equal(normaliser.eval().drivers(x), x)
    assert torch.equal(normaliser.train().drivers(x), x)
