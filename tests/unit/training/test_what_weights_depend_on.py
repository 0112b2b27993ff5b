"""Stages trained once more with one thing changed: what the weights depend on, and what they must not."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from dere.harmonise.statistics import statistics
from dere.io import read_json, read_netcdf, write_netcdf
from dere.methods import stages
from dere.methods.single_network import SingleNetwork
from dere.training.context import Context
from dere.training.simulation import cells_of, load_cells
from dere.variables import MONTHLY8, STANDS
from dere.workflow.train import train
from stage_jobs import live_job, make_job, with_settings

TEST_CELLS, TRAINING_CELLS = [0, 3, 6, 9], [2, 5, 8, 11]
MINIMUM_QUALITY = 0.5
SIMULATION_STAGES = ["pure", "mixture", "age", "plant_types_simulated", "plant_types_observed", "kgml_simulation"]


@pytest.fixture
def retrain(run, canonical, tmp_path):
    """Train a stage again from the parents of ``run``; gives its weights. The training must have led somewhere."""
    count = iter(range(99))

    def retrain(stage, files=canonical, parents=(), **changes):
        job = make_job(stage, files, run)
        job = replace(job, output=tmp_path / f"{stage}{next(count)}", parents=job.parents | dict(parents))
        train(with_settings(job, **changes))
        if changes.get("learning_rate", 1) > 1e-9:
            assert read_json(job.output / "manifest.json")["best_epoch"] > 0
        return load_file(job.output / "model.safetensors")

    return retrain


def same(first, second, part=""):
    assert first.keys() == second.keys() and any(name.startswith(part) for name in first)
    return all(torch.equal(value, second[name]) for name, value in first.items() if name.startswith(part))


def with_statistics(files, folder, **datasets):
    """The files with other data, and with the statistics of fold 0 that follow from them."""
    folder.mkdir()
    files = files | {name: write_netcdf(data, folder / f"{name}.nc") for name, data in datasets.items()}
    read = {name: read_netcdf(files[name]) for name in ("drivers", "simulation", "towers")}
    splits = pd.read_csv(files["splits"], dtype={"id": str})
    found = statistics(**read, splits=splits, fold=0, satellites=False, minimum_quality=MINIMUM_QUALITY)
    return files | {"statistics": write_netcdf(found, folder / "statistics.nc")}


@pytest.fixture
def four_attributes(monkeypatch):
    """Names of the invented statics, for the statistics."""
    monkeypatch.setattr("dere.harmonise.statistics.ATTRIBUTES", ("a0", "a1", "a2", "a3"))


def spoiled(files, cells):
    """Everything that is known of ``cells``, but altered."""
    data = {name: read_netcdf(files[name]) for name in ("drivers", "simulation", "cover")}
    for name in (*MONTHLY8, "static"):
        data["drivers"][name].loc[{"cell": cells}] += 3.0
    for name in ("state", "initial_state"):
        data["simulation"][name].loc[{"cell": cells}] *= 2.0
    for name in ("simulation", "cover"):
        fraction = data[name]["plant_fraction"].loc[{"cell": cells}]
        data[name]["plant_fraction"].loc[{"cell": cells}] = 0.8 * fraction + 0.2 * fraction.values[..., ::-1]
    weight = data["cover"]["age_weight"].loc[{"cell": cells}]
    data["cover"]["age_weight"].loc[{"cell": cells}] = weight.values[:, ::-1]
    return data


@pytest.mark.parametrize("stage", SIMULATION_STAGES)
def test_test_cells_change_no_weight_of_a_simulation_stage(stage, retrain, canonical, four_attributes, tmp_path):
    def trained(name, cells):
        return retrain(stage, with_statistics(canonical, tmp_path / name, **spoiled(canonical, cells)))

    plain = trained("plain", [])
    assert same(plain, trained("test", TEST_CELLS))
    assert not same(plain, trained("training", TRAINING_CELLS), part="backbone")


@pytest.mark.parametrize("stage", [*SIMULATION_STAGES, "kgml_aligned", "kgml_weighted", "raci_simulation"])
def test_memory_changes_no_weight_of_a_simulation_stage(stage, run, canonical, tmp_path):
    """With hardly any memory, states, drivers and frozen outputs lie on disk."""
    size = read_netcdf(canonical["simulation"], load=False).nbytes
    job = replace(make_job(stage, canonical, run), output=tmp_path / stage, memory=size)
    windows = load_cells(live_job(job), STANDS[-1:]).windows
    assert windows.ahead is not None
    assert not cells_of(live_job(job)).drivers.flags.owndata
    train(job)
    held, whole = (load_file(folder / stage / "model.safetensors") for folder in (tmp_path, run))
    assert same(held, whole) and read_json(run / stage / "manifest.json")["best_epoch"] > 0


@pytest.mark.parametrize("stage", ["baseline", "towers"])
def test_months_of_poor_quality_change_no_weight(stage, retrain, canonical, four_attributes, tmp_path):
    def trained(name, quality, shift):
        towers = read_netcdf(canonical["towers"])
        towers["flux_quality"][:, 1::2] = quality
        towers["flux_value"][:, 1::2] += shift
        files = with_statistics(canonical, tmp_path / name, towers=towers)
        return retrain(stage, files, learning_rate=5e-3, pull=0)

    assert same(trained("poor", 0.49, 0.0), trained("altered", 0.49, 30.0))
    assert same(trained("unknown", np.nan, 0.0), trained("unknown altered", np.nan, 30.0))
    assert not same(trained("good", 0.51, 0.0), trained("good altered", 0.51, 0.1), part="level")


def test_plant_types_that_are_named_frozen_stay_those_of_stage_three(retrain, run, tmp_path):
    frozen = stages()["towers"].section.frozen
    assert frozen == stages()["uncertain"].section.frozen == ("plant_types",)
    observed = load_file(run / "plant_types_observed" / "model.safetensors")
    settings = {"learning_rate": 5e-3, "pull": 0}

    def kept(weights, before, prefix):
        return all(torch.equal(weights[f"{prefix}plant_types.{name}"], value) for name, value in before.items())

    assert not kept(retrain("towers", **settings), observed, "")
    towers = retrain("towers", frozen=frozen, **settings)
    assert kept(towers, observed, "")
    after_four = {"towers": tmp_path / "towers1"}
    assert not kept(retrain("uncertain", parents=after_four, **settings), observed, "dere.")
    uncertain = retrain("uncertain", parents=after_four, frozen=frozen, **settings)
    assert kept(uncertain, observed, "dere.")
    assert not torch.equal(uncertain["dere.competition.out.weight"], towers["competition.out.weight"])


HANDED_OVER = [
    ("age", "mixture", ""),
    ("plant_types_observed", "plant_types_simulated", ""),
    ("towers", "age", "competition."),
    ("towers", "plant_types_observed", "plant_types."),
    ("uncertain", "towers", "dere."),
    ("kgml_towers", "kgml_simulation", ""),
]


@pytest.mark.parametrize(("stage", "parent", "prefix"), HANDED_OVER)
def test_a_stage_starts_from_the_weights_of_its_parent(stage, parent, prefix, retrain, run):
    folder = run / parent
    # else the parent would be no more than the start that its seed gives
    assert read_json(folder / "manifest.json")["best_epoch"] > 0
    start = retrain(stage, learning_rate=1e-12)
    for name, value in load_file(folder / "model.safetensors").items():
        torch.testing.assert_close(start[prefix + name], value, rtol=0, atol=1e-8)


def test_the_baseline_starts_from_nothing(retrain, canonical, run):
    context = Context(live_job(make_job("baseline", canonical, run)))
    untrained = SingleNetwork(context.blueprint).state_dict()
    for name, value in retrain("baseline", learning_rate=1e-12).items():
        torch.testing.assert_close(value, untrained[name], rtol=0, atol=1e-8)


def test_stage_six_learns_from_imputed_months_and_weighs_labels_by_their_covariance(retrain, canonical, tmp_path):
    def trained(name, change):
        labels = read_netcdf(canonical["labels"])
        # some months without any label, whose filler must not matter
        labels["origin"][:, ::5] = 0
        change(labels)
        path = write_netcdf(labels, tmp_path / f"{name}.nc")
        return retrain("uncertain", canonical | {"labels": path}, learning_rate=3e-4, pull=0)

    def wider(labels):
        labels["covariance"][:, ::2] *= 20.0

    def shifted(origin):
        def change(labels):
            labels["label"] = labels["label"] + 0.5 * (labels["origin"] == origin)

        return change

    plain = trained("plain", lambda labels: None)
    assert same(plain, trained("unlabelled", shifted(0)))
    for name, change in {"covariance": wider, "observed": shifted(1), "imputed": shifted(2)}.items():
        assert not same(plain, trained(name, change), part="dere."), name
