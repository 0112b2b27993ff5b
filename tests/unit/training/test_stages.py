"""Every stage trains on the tiny set, hands over to the next, and leaves its parents untouched."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from dere.training.dere_towers import cache_pure, load_pure
from dere.training.predict import predict_cells, predict_sites

from dere.config.training import DereTowerConfig
from dere.io import file_sha256, read_json, read_netcdf, write_netcdf, write_table
from dere.training import single, towers
from dere.training.candidates import options
from dere.training.context import Context
from dere.training.job import Job
from dere.training.parallel import share
from dere.training.tower_data import load_towers
from stage_jobs import SMALL, make_jobs


class Recorded(Exception):
    """What a stage would have trained: model, draw and loss."""


@pytest.mark.parametrize(
    "stage",
    ["pure", "mixture", "age", "plant_types_simulated", "plant_types_observed", "towers", "uncertain", "baseline",
     "kgml_simulation", "kgml_towers"],
)  # fmt: skip
@pytest.mark.parametrize("backbone", ["transformer", "itransformer"])
def test_shares_of_a_batch_add_up_to_its_loss(stage, backbone, canonical, tmp_path, monkeypatch):
    """What several processes rely on: numerators and denominators of their rows are those of the whole batch."""
    jobs = make_jobs(canonical, tmp_path, backbone, dropout=0.0)
    names = list(jobs)
    for name in names[: names.index(stage)]:
        train, job = jobs[name]
        if any(name in later.parents for _, later in jobs.values()):
            train(
                replace(job, params=job.params | {"stage": job.params["stage"] | {"epochs": 1, "steps_per_epoch": 1}})
            )

    def record(self, model, *, draw, validation, loss_of, options, refit=None):
        raise Recorded(model, draw, loss_of(options[0]))

    monkeypatch.setattr(Context, "fit_best", record)
    train, job = jobs[stage]
    with pytest.raises(Recorded) as caught:
        train(job)
    model, draw, loss = caught.value.args
    # a start at zero error would compare nothing with nothing
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.01 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    model.eval()
    batch = draw(torch.Generator().manual_seed(5))
    with torch.no_grad():
        whole = loss(model, batch)
        parts = [loss(model, share(batch, part, 3)) for part in range(3)]
    assert float(whole.mean) > 1e-3
    for name in ("numerator", "denominator"):
        total = sum(getattr(part, name) for part in parts)
        torch.testing.assert_close(total, getattr(whole, name), rtol=2e-5, atol=1e-6)


def test_every_stage_read_the_same_split(run):
    folders, _ = run
    assert len({read_json(p / "manifest.json")["split"] for p in folders.values()}) == 1


def test_each_fold_keeps_the_candidate_that_its_validation_towers_prefer(run, canonical, tmp_path):
    _, tower = run
    candidates = [{"learning_rate": 1e-9, "pull": 0}, {"learning_rate": 5e-3, "pull": 0, "dropout": 0.3}]
    losses, weights = [], []
    for number, candidate in enumerate(candidates):
        alone = tower | {"stage": SMALL | candidate}
        single.train_towers("baseline", Job(canonical, {}, tmp_path / str(number), alone, 0, 0))
        losses.append(read_json(tmp_path / str(number) / "manifest.json")["best_validation_loss"])
        weights.append(file_sha256(tmp_path / str(number) / "model.safetensors"))
    both = alone | {"stage": SMALL | {"candidates": candidates}}
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
    # both stages learned something, or nothing would be shown
    assert all(read_json(folders[n] / "manifest.json")["best_epoch"] > 0 for n in ("simulated", "observed"))
    assert not all(torch.equal(a[k], b[k]) for k in a if k.startswith("backbone.decoders"))


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


def test_a_candidate_without_a_dropout_keeps_that_of_its_stage():
    config = DereTowerConfig(
        dropout=0.3, candidates=[{"learning_rate": 1e-3, "pull": 0}, {"learning_rate": 1e-3, "pull": 0, "dropout": 0.1}]
    )
    assert [option.dropout for option in options(config)] == [0.3, 0.1]


def test_cached_pure_stands_are_nan_where_they_were_not_asked_for(canonical, run):
    folders, params = run
    context = Context("towers", Job(canonical, {"pure": folders["pure"]}, folders["towers"], params, 0, 0))
    windows = load_towers(context).windows
    cache = cache_pure(load_pure(context), windows, torch.tensor([0, 3]), "cpu")
    asked = torch.zeros(len(windows), dtype=torch.bool)
    asked[[0, 3]] = True
    assert torch.isfinite(cache[asked]).all() and cache[~asked].isnan().all()
