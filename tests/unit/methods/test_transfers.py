"""Transfers on the tiny set: what each trains, keeps, predicts and reports, for any exchange with a simulation."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dere import exchange as exchanges
from dere.exchange.ch4 import EXCHANGE as CH4
from dere.exchange.co2 import EXCHANGE
from dere.io import read_netcdf, write_netcdf
from dere.layers.positive import inverse_positive
from dere.methods import methods, single_stages, stages
from dere.methods.base import resolved
from dere.methods.single_network import SingleNetwork
from dere.methods.transfers import adversary, aligned, guided
from dere.methods.transfers.guided_network import corrected, told_of
from dere.run_config.root import normalise
from dere.training import checkpoint
from dere.training.context import Context
from dere.training.losses import target_loss
from dere.training.read_places import site_places
from dere.training.simulation import MIXTURE_ALONE, drawer, fixed_batches, load_cells
from dere.training.windows import MIXTURE
from dere.workflow.train import train
from stage_jobs import at_sites, live_job, make_job, with_settings

NAMES = ("kgml_residual", "kgml_stack", "kgml_adversarial", "kgml_reweight")
STAGES = tuple(dict.fromkeys(stage for method in NAMES for stage in methods()[method].stages))


def job_of(name, files, root, members=1, **settings):
    job = with_settings(make_job(name, files, root, "lags"), **settings)
    return replace(job, params=job.params | {"members": members if stages()[name].members else 1})


@pytest.fixture(scope="module")
def root(canonical, tmp_path_factory):
    """Checkpoints of all transfers, on towers as ensembles of two."""
    folder = tmp_path_factory.mktemp("transfers")
    for name in STAGES:
        train(job_of(name, canonical, folder, members=2))
    return folder


def reported(fitted):
    return {(row["quantity"], row["flux"]): row["value"] for row in fitted.facts["reported"]}


@pytest.mark.parametrize("name", NAMES)
def test_predictions_close_and_those_of_towers_left_out_are_by_other_members(name, root, canonical, tmp_path):
    found = at_sites(name, canonical, root, tmp_path / "p.nc")
    flux = found["prediction"]
    assert np.isfinite(flux.values).all() and found.sizes["member"] == 2
    gap = flux.sel(flux="reco") - flux.sel(flux="gpp") - flux.sel(flux="nee")
    assert float(abs(gap).max()) < 1e-9
    held = found["held_out_prediction"].values
    known = np.isfinite(held).all((1, 2))
    assert known.any() and not np.allclose(held[known], flux.values[known])


def test_what_stages_report(root):
    for name in ("kgml_residual", "kgml_stack"):
        errors = reported(checkpoint.read(root / name, EXCHANGE))
        assert set(errors) == {("simulation_rmse", flux) for flux in EXCHANGE.names} and min(errors.values()) > 0
    accuracies = reported(checkpoint.read(root / "kgml_aligned", EXCHANGE))
    assert set(accuracies) == {("discriminator_accuracy", ""), ("fresh_discriminator_accuracy", "")}
    weighted = checkpoint.read(root / "kgml_weighted", EXCHANGE)
    assert 0 < reported(weighted)["effective_sample_share", ""] < 1
    assert weighted.members == 2 and checkpoint.read(root / "kgml_aligned", EXCHANGE).members == 1
    # nothing of the discriminator is passed on
    first, *others = (
        checkpoint.read(root / f"kgml_{name}", EXCHANGE) for name in ("simulation", "aligned", "weighted")
    )
    assert all(set(other.arrays) == set(first.arrays) for other in others)
    assert others[0].facts["parameters"] == first.facts["parameters"]


def test_fine_tuning_pre_trains_bit_by_bit_as_before_there_were_other_transfers(canonical, tmp_path):
    job = live_job(job_of("kgml_simulation", canonical, tmp_path))
    context, config = Context(job), job.section
    windows, training, validation = load_cells(job, MIXTURE_ALONE)
    model = SingleNetwork(context.blueprint)

    def loss(network, batch):
        index, ages = batch
        drivers, static = windows.inputs(index)
        before, truth = windows.states(index, MIXTURE, ages)
        memory = network.backbone.encode(network.normaliser.drivers(drivers), network.normaliser.static(static))
        hidden = network.backbone.decode(memory, network.normaliser.condition(before, windows.ages[ages]))
        free = network.head(hidden, network.normaliser.start(before).flatten(0, 1)).unflatten(0, before.shape[:2])
        return target_loss(network.normaliser.outputs(free), truth, network.normaliser.target_std)

    draws = (3, config.ages_per_step)
    expected = context.fit(
        model,
        draw=drawer(training, config.batch, *draws),
        validation=fixed_batches(validation, config.batch, *draws),
        loss=loss,
        config=config,
    )
    found = single_stages.fit_simulation(replace(job, scratch=tmp_path / "other"))
    assert set(found.arrays) == set(expected.arrays)
    assert all(np.array_equal(found.arrays[name], value) for name, value in expected.arrays.items())


def test_a_correction_of_zero_changes_nothing_and_none_makes_a_flux_negative():
    free = torch.tensor([[0.0, 1e-5, 0.3, 7.0, -2.0]])
    signed = [False] * 4 + [True]
    assert torch.equal(corrected(free, torch.zeros_like(free), signed), free)
    down, up = (corrected(free, torch.full_like(free, move), signed) for move in (-9.0, 2.0))
    assert bool((down[:, :4] >= 0).all()) and down[0, 4] == -11.0
    # a flux that the simulation lacks can be raised
    assert up[0, 0] > 0.2
    raised = torch.nn.functional.softplus(inverse_positive(torch.tensor(7.05)) + 2.0) - 0.05
    torch.testing.assert_close(up[0, 3], raised)


def windows_of_first_years(context, move):
    """Towers whose labels are what the pre-trained network says, moved, in the first window of each."""
    data = guided_load(context)
    first = context.load("kgml_simulation", SingleNetwork(context.blueprint))
    told = told_of(first, data.windows, "cpu")
    with torch.no_grad():
        static = first.normaliser.static(data.windows.static[data.windows.place])
        said = first.normaliser.outputs(first.eval().level(told.free, static))[..., data.channels] + move
    one = data.windows.start == 0
    flux, weight = torch.zeros_like(data.windows.flux), torch.zeros_like(data.windows.weight)
    places = data.windows.place[one]
    flux[places, : said.shape[1]], weight[places, : said.shape[1]] = said[one], 1.0
    windows = replace(data.windows, flux=flux, weight=weight)
    kept = [index[one[index]] for index in (data.training, data.validation)]
    return replace(data, windows=windows, training=kept[0], validation=kept[1])


guided_load = guided.load_towers


@pytest.mark.parametrize("move", [0.0, 1.5])
def test_a_perfect_simulation_leaves_the_residual_zero_and_an_imperfect_one_does_not(
    move, root, canonical, tmp_path, monkeypatch
):
    monkeypatch.setattr(guided, "load_towers", lambda context: windows_of_first_years(context, move))
    settings = {"epochs": 15, "steps_per_epoch": 4, "learning_rate": 1e-2, "input_noise": 0.3, "weight_decay": 0.5}
    job = live_job(job_of("kgml_residual", canonical, root, members=2, **settings))
    fitted = guided.fit_residual(replace(job, scratch=tmp_path))
    for error in reported(fitted).values():
        assert error == pytest.approx(move, abs=1e-4)
    towers = read_netcdf(canonical["towers"])
    own = job.windows
    places = site_places(towers, job.roles, satellites=own.satellites, channels=own.channels, exchange=EXCHANGE)
    first = checkpoint.read(root / "kgml_simulation", EXCHANGE)
    alone = single_stages.predict(first, places, per_age=True, unseen=False, gpu=0).mean
    moved = guided.predict_residual({"kgml_simulation": first, "kgml_residual": fitted}, places).mean - alone
    if move:
        assert abs(moved[..., :2] - move).mean() < 0.6 * move
    else:
        assert abs(moved).max() < 1e-5


def test_towers_are_told_apart_less_where_the_gradient_is_reversed(canonical, tmp_path):
    towers = read_netcdf(canonical["towers"])
    moved = towers.assign(static=towers["static"] + 4.0)
    files = {**canonical, "towers": write_netcdf(moved, tmp_path / "towers.nc")}
    found = {}
    for reversal in (0.0, 1.0):
        job = job_of("kgml_aligned", files, tmp_path, epochs=15, steps_per_epoch=10, learning_rate=1e-2, patience=15,
                     reversal=reversal)  # fmt: skip
        fitted = aligned.fit(replace(live_job(job), scratch=tmp_path / str(reversal)))
        found[reversal] = reported(fitted)["discriminator_accuracy", ""]
    assert found[0.0] > 0.85
    assert found[1.0] < found[0.0] - 0.2


def test_the_reversal_turns_the_gradient_and_grows_from_zero_to_one():
    x = torch.ones(3, requires_grad=True)
    adversary.reversed_gradient(x, 0.25).sum().backward()
    assert x.grad.tolist() == [-0.25] * 3
    ramps = [adversary.ramp(p) for p in (0.0, 0.1, 1.0)]
    assert ramps[0] == 0 and ramps[1] == pytest.approx(np.tanh(0.5)) and ramps[2] == pytest.approx(1, abs=1e-4)


def test_accuracies_count_both_kinds_alike():
    assert adversary.accuracy(np.full(90, -1.0), np.full(10, -1.0)) == 0.5
    rng = np.random.default_rng(0)
    near, far = rng.normal(size=(400, 3)), rng.normal(size=(400, 3)) + [6.0, 0, 0]
    assert adversary.fresh_accuracy((near, far), (near, far)) > 0.99
    assert abs(adversary.fresh_accuracy((near[:200], near[200:]), (near[:200], near[200:])) - 0.5) < 0.1


METHANE = replace(CH4, states=("ch4",), place_classes={})
"""Methane that is simulated as it is measured; the files here are of carbon dioxide, without its classes of places."""


def test_transfers_know_nothing_of_carbon_dioxide(canonical, tmp_path, monkeypatch):
    files = dict(canonical)
    for name in ("simulation", "towers", "statistics"):
        data = read_netcdf(canonical[name])
        for dim in {"target", "flux"} & set(data.dims):
            coordinate = EXCHANGE.outputs if dim == "target" else EXCHANGE.names
            data = data.assign_coords({dim: list(coordinate)}).sel({dim: ["nee"]}).assign_coords({dim: ["ch4"]})
        files[name] = write_netcdf(data, tmp_path / f"{name}.nc")
    parents = {}
    for name in STAGES:
        job = job_of(name, files, tmp_path)
        job = replace(job, parents={})
        live = replace(live_job(job), exchange=METHANE, parents=parents, scratch=tmp_path / name)
        parents[name] = resolved(stages()[name].fit)(replace(live, recorded=live.recorded | {"exchange": "ch4"}))
    monkeypatch.setattr(exchanges, "get", lambda name: METHANE)
    towers = read_netcdf(files["towers"])
    places = site_places(towers, live.roles, satellites=False, channels="none", exchange=METHANE)
    for name in NAMES:
        mean = resolved(methods()[name].predict)(parents, places).mean
        assert mean.shape == (10, 36, 1) and np.isfinite(mean).all() and mean.std() > 0


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"methods": ["kgml_residual"], "stages": {"kgml_residual": {"frozen": ["backbone"]}}}, "frozen"),
        ({"methods": ["kgml_adversarial"], "stages": {"kgml_aligned": {"reversal": -1}}}, "reversal"),
        ({"methods": ["kgml_reweight"], "stages": {"kgml_weighted": {"steepness": "steep"}}}, "steepness"),
        ({"methods": ["kgml_finetune"]}, "kgml_finetune is no method"),
    ],
)
def test_what_cannot_be_combined_is_refused_when_the_configuration_is_read(wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        normalise(wrong)


def test_methods_that_learn_from_a_simulation_serve_the_exchanges_that_have_one():
    assert list(exchanges.simulated()) == [name for name in exchanges.names() if exchanges.get(name).states]
    assert all(methods()[name].exchanges == exchanges.simulated() for name in ("kgml", *NAMES))
