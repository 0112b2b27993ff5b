"""Every stage trains on the tiny set, hands over to the next, and leaves its parents untouched."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from dere.io import file_sha256, read_json, write_table
from dere.methods import stages
from dere.methods.dere.settings import DereTowerConfig
from dere.training.candidates import options
from dere.training.context import Context
from dere.training.parallel import share
from dere.workflow.train import train
from stage_jobs import NETWORK_STAGES, fit, make_job, make_jobs, with_settings


class Recorded(Exception):
    """What a stage would have trained: model, draw and loss."""


@pytest.mark.parametrize("stage", NETWORK_STAGES)
@pytest.mark.parametrize("backbone", ["transformer", "itransformer"])
def test_shares_of_a_batch_add_up_to_its_loss(stage, backbone, canonical, tmp_path, monkeypatch):
    """What several processes rely on: numerators and denominators of their rows are those of the whole batch."""
    jobs = make_jobs(canonical, tmp_path, backbone, dropout=0.0)

    def train_parents(name):
        for parent in stages()[name].parents:
            train_parents(parent)
            if not (tmp_path / parent).exists():
                train(with_settings(jobs[parent], epochs=1, steps_per_epoch=1))

    def record(self, model, *, draw, validation, loss_of, options, refit=None):
        raise Recorded(model, draw, loss_of(options[0]))

    train_parents(stage)
    monkeypatch.setattr(Context, "fit_best", record)
    with pytest.raises(Recorded) as caught:
        fit(jobs[stage])
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


def test_manifests_name_their_split_parents_and_settings(run, canonical):
    for name, stage in stages().items():
        manifest = read_json(run / name / "manifest.json")
        assert (manifest["stage"], manifest["exchange"], manifest["fold"], manifest["seed"]) == (name, "co2", 0, 0)
        assert manifest["split"] == file_sha256(canonical["splits"])
        assert manifest["parents"] == {p: file_sha256(run / p / "model.safetensors") for p in stage.parents}
        assert manifest["params"] == json.loads(json.dumps(make_job(name, canonical, run).params))
        assert {path.name for path in (run / name).iterdir()} == {"model.safetensors", "manifest.json", "history.csv"}


def test_each_fold_keeps_the_candidate_that_its_validation_towers_prefer(canonical, tmp_path):
    candidates = [{"learning_rate": 1e-9, "pull": 0}, {"learning_rate": 5e-3, "pull": 0, "dropout": 0.3}]

    def trained(name, **settings):
        job = replace(make_job("baseline", canonical, tmp_path), output=tmp_path / name)
        train(with_settings(job, **settings))
        assert not list(job.output.glob("last*"))
        return read_json(job.output / "manifest.json")

    alone = [trained(str(number), **candidate) for number, candidate in enumerate(candidates)]
    losses = [manifest["best_validation_loss"] for manifest in alone]
    both = trained("both", candidates=candidates)
    assert both["candidate_validation_losses"] == losses
    assert both["candidate"] == int(np.argmin(losses)) and losses[0] != losses[1]
    assert both["sha256"] == alone[both["candidate"]]["sha256"]


def test_frozen_encoder_of_the_plant_types_is_bit_identical(run):
    folders = [run / name for name in ("plant_types_simulated", "plant_types_observed")]
    a, b = (load_file(folder / "model.safetensors") for folder in folders)
    encoder = [k for k in a if k.startswith("backbone.") and not k.startswith("backbone.decoders")]
    assert encoder and all(torch.equal(a[k], b[k]) for k in encoder)
    # both stages learned something, or nothing would be shown
    assert all(read_json(folder / "manifest.json")["best_epoch"] > 0 for folder in folders)
    assert not all(torch.equal(a[k], b[k]) for k in a if k.startswith("backbone.decoders"))


def test_a_parent_of_another_split_or_fold_is_refused(run, canonical, tmp_path):
    other = pd.read_csv(canonical["splits"]).assign(lat=11.0)
    files = canonical | {"splits": write_table(other, tmp_path / "splits.csv")}
    with pytest.raises(ValueError, match="'split' of the checkpoint is"):
        train(replace(make_job("age", files, run), output=tmp_path / "age"))
    with pytest.raises(ValueError, match="'fold' of the checkpoint is 0, this run has 1"):
        train(replace(make_job("age", canonical, run), fold=1, output=tmp_path / "age"))


def test_a_candidate_without_a_dropout_keeps_that_of_its_stage():
    config = DereTowerConfig(
        dropout=0.3, candidates=[{"learning_rate": 1e-3, "pull": 0}, {"learning_rate": 1e-3, "pull": 0, "dropout": 0.1}]
    )
    assert [option.dropout for option in options(config)] == [0.3, 0.1]
