"""Every stage trains on the tiny set, hands over to the next, and leaves its parents untouched."""

from pathlib import Path

import numpy as np
import pytest
import torch

from dere.io import file_sha256, read_json, read_netcdf, write_netcdf, write_table
from dere.training import competition, plant_types, pure, single, towers, uncertain
from dere.training.job import Job
from dere.training.predict import predict_cells, predict_sites


@pytest.fixture(scope="session")
def run(canonical, tmp_path_factory):
    """All stages in order, once; maps stage to checkpoint folder."""
    from dere.config.backbones import TransformerConfig
    from dere.config.training import TowerTrainingConfig, TrainingConfig

    root = tmp_path_factory.mktemp("models")
    common = {
        "backbone": TransformerConfig(width=16, heads=2, feedforward=24).model_dump(),
        "backbone_name": "transformer",
        "harmonise": {"window": 24, "window_stride": 12, "satellites": False, "minimum_training_quality": 0.5},
    }
    small = {"epochs": 2, "steps_per_epoch": 3, "batch": 4, "ages_per_step": 2}
    stage = common | {"stage": TrainingConfig(**small).model_dump()}
    tower = common | {"stage": TowerTrainingConfig(**small, adapters=True).model_dump()}
    f = {name: root / name for name in ("pure", "mixture", "age", "simulated", "observed", "towers", "uncertain")}
    f |= {name: root / name for name in ("baseline", "kgml_simulation", "kgml_towers")}
    files = canonical
    pure.train(Job(files, {}, f["pure"], stage, 0, 0))
    competition.train("mixture", competition.per_age, Job(files, {"pure": f["pure"]}, f["mixture"], stage, 0, 0))
    parents = {"pure": f["pure"], "mixture": f["mixture"]}
    competition.train("age", competition.age_weighted, Job(files, parents, f["age"], stage, 0, 0))
    plant_types.train(Job(files, {}, f["simulated"], stage, 0, 0), observed=False)
    plant_types.train(Job(files, {"plant_types_simulated": f["simulated"]}, f["observed"], stage, 0, 0), observed=True)
    parents = {"pure": f["pure"], "age": f["age"], "plant_types_observed": f["observed"]}
    towers.train(Job(files, parents, f["towers"], tower, 0, 0))
    uncertain.train(Job(files, {"pure": f["pure"], "towers": f["towers"]}, f["uncertain"], tower, 0, 0))
    single.train_towers("baseline", Job(files, {}, f["baseline"], tower, 0, 0))
    single.train_simulation(Job(files, {}, f["kgml_simulation"], stage, 0, 0))
    parents = {"kgml_simulation": f["kgml_simulation"]}
    single.train_towers("kgml_towers", Job(files, parents, f["kgml_towers"], tower, 0, 0))
    return f, tower


def test_every_stage_read_the_same_split(run):
    folders, _ = run
    assert len({read_json(p / "manifest.json")["split"] for p in folders.values()}) == 1


def test_each_fold_keeps_the_candidate_that_its_validation_towers_prefer(run, canonical, tmp_path):
    _, tower = run
    candidates = [{"learning_rate": 1e-9, "pull": 0}, {"learning_rate": 5e-3, "pull": 0, "dropout": 0.3}]
    losses, weights = [], []
    for number, candidate in enumerate(candidates):
        alone = tower | {"stage": tower["stage"] | candidate}
        single.train_towers("baseline", Job(canonical, {}, tmp_path / str(number), alone, 0, 0))
        losses.append(read_json(tmp_path / str(number) / "manifest.json")["best_validation_loss"])
        weights.append(file_sha256(tmp_path / str(number) / "model.safetensors"))
    both = tower | {"stage": tower["stage"] | {"candidates": candidates}}
    single.train_towers("baseline", Job(canonical, {}, tmp_path / "both", both, 0, 0))
    manifest = read_json(tmp_path / "both" / "manifest.json")
    assert manifest["candidate_validation_losses"] == losses
    assert manifest["candidate"] == int(np.argmin(losses)) and losses[0] != losses[1]
    assert manifest["sha256"] == weights[manifest["candidate"]]
    assert not list((tmp_path / "both").glob("last*"))


def test_manifests_name_their_parents(run):
    folders, _ = run
    manifest = read_json(folders["uncertain"] / "manifest.json")
    for parent in ("pure", "towers"):
        assert manifest["parents"][parent] == file_sha256(folders[parent] / "model.safetensors")


def test_frozen_encoder_of_the_plant_types_is_bit_identical(run):
    from safetensors.torch import load_file

    folders, _ = run
    a, b = (load_file(folders[n] / "model.safetensors") for n in ("simulated", "observed"))
    encoder = [k for k in a if k.startswith("backbone.") and not k.startswith("backbone.decoders")]
    assert encoder and all(torch.equal(a[k], b[k]) for k in encoder)


METHODS = {
    "dere": ("pure", "uncertain"),
    "dere_towers": ("pure", "towers"),
    "kgml": ("kgml_towers",),
    "baseline": ("baseline",),
}


def predict(method, files, run, output: Path):
    folders, params = run
    predict_sites(method, Job(files, {n: folders[n] for n in METHODS[method]}, output, params, 0, 0))
    return read_netcdf(output)


@pytest.mark.parametrize("method", METHODS)
def test_predictions_are_complete_and_close(method, canonical, run, tmp_path):
    result = predict(method, canonical, run, tmp_path / "p.nc")
    # fold 0 = S00, S03, S06 and the site without labels
    assert list(result["site"].values) == ["XX-S00", "XX-S03", "XX-S06", "XX-S09"]
    flux = result["prediction"]
    assert np.isfinite(flux).all()
    gap = flux.sel(flux="reco") - flux.sel(flux="gpp") - flux.sel(flux="nee")
    assert float(abs(gap).max()) < 1e-12


def test_test_towers_influence_nothing(canonical, run, tmp_path):
    """Altered fluxes at test towers change neither a retrained network nor a prediction."""
    folders, params = run
    altered = read_netcdf(canonical["towers"])
    altered["flux_value"].loc[{"site": ["XX-S00", "XX-S03", "XX-S06"]}] = 77.0
    files = canonical | {"towers": write_netcdf(altered, tmp_path / "towers.nc")}
    parents = {"pure": folders["pure"], "age": folders["age"], "plant_types_observed": folders["observed"]}
    towers.train(Job(files, parents, tmp_path / "again", params, 0, 0))
    again, first = (file_sha256(p / "model.safetensors") for p in (tmp_path / "again", folders["towers"]))
    assert again == first
    a = predict("dere", canonical, run, tmp_path / "a.nc")
    b = predict("dere", files, run, tmp_path / "b.nc")
    assert np.array_equal(a["prediction"], b["prediction"]) and np.array_equal(a["std"], b["std"])


def test_maps_cover_every_cell_and_close(canonical, run, tmp_path):
    folders, params = run
    predict("dere", canonical, run, tmp_path / "sites.nc")
    parents = {n: folders[n] for n in METHODS["dere"]}
    files = canonical | {"sites": tmp_path / "sites.nc"}
    predict_cells("dere", Job(files, parents, tmp_path / "cells.nc", params, 0, 0))
    cells = read_netcdf(tmp_path / "cells.nc")
    assert cells["prediction"].shape == (12, 36, 3) and np.isfinite(cells["prediction"]).all()
    assert (cells["std"] > 0).all() and cells["quantile_value"].shape[-1] == 5


def test_checkpoint_of_another_split_is_refused(canonical, run, tmp_path):
    import pandas as pd

    folders, params = run
    other = pd.read_csv(canonical["splits"]).assign(lat=11.0)
    files = canonical | {"splits": write_table(other, tmp_path / "splits.csv")}
    with pytest.raises(ValueError, match="'split' of the checkpoint is"):
        predict_sites("baseline", Job(files, {"baseline": folders["baseline"]}, tmp_path / "p.nc", params, 0, 0))


def test_drivers_are_stored_once(canonical):
    from dere.training.cells import cell_windows

    sets = (read_netcdf(canonical[n]) for n in ("drivers", "simulation", "cover"))
    windows = cell_windows(*sets, satellites=False, window=24, stride=12)
    assert windows.drivers.shape == (12, 36, 8) and len(windows) == 24
    inside, _ = windows.inputs(torch.tensor([1]))
    assert torch.equal(inside[0], windows.drivers[0, 12:36])
    before, within = windows.states(torch.tensor([1]), 2, torch.tensor([0, 2]))
    assert torch.equal(before[0], windows.state[0, 2, [0, 2], 11])
    assert torch.equal(within[0], windows.state[0, 2, [0, 2], 12:36])


def test_window_longer_than_the_simulation_is_said(canonical):
    from dere.training.cells import cell_windows

    sets = [read_netcdf(canonical[n]) for n in ("drivers", "simulation", "cover")]
    with pytest.raises(ValueError, match="the simulation has 36 months"):
        cell_windows(*sets, satellites=False, window=48, stride=12)
    with pytest.raises(ValueError, match="multiple of 12"):
        cell_windows(*sets, satellites=False, window=20, stride=12)
