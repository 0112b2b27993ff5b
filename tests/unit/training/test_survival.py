"""A stage that is killed with SIGKILL at any moment goes on after its last complete epoch, to the same bits."""

import random
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import killing
from dere.config.training import TrainingConfig
from dere.io import file_sha256, read_json
from dere.training.loop import LossParts, fit
from dere.training.losses import squared
from dere.workflow.train import train
from stage_jobs import live_job, make_job, with_settings

CANDIDATES = [{"learning_rate": 5e-3, "pull": 0}, {"learning_rate": 2e-3, "pull": 0, "dropout": 0.3}]
EPOCHS = 4


@pytest.fixture(scope="module")
def job(canonical):
    """Job of a small tower stage by the folder of its checkpoint."""
    small = make_job("baseline", canonical, Path(), width=8, feedforward=8)
    small = with_settings(small, epochs=EPOCHS, steps_per_epoch=2, average=0.5, candidates=CANDIDATES)
    return lambda folder: replace(small, output=folder)


@pytest.fixture(scope="module")
def whole(job, tmp_path_factory):
    """Folder of a run that nobody killed, and the seconds it took."""
    folder = tmp_path_factory.mktemp("whole")
    killing.run(train, job(folder / "warm"), epochs=folder / "warm.txt")
    started = time.perf_counter()
    assert killing.run(train, job(folder / "stage"), epochs=folder / "epochs.txt") == 0
    seconds = time.perf_counter() - started
    expected = [(f"last{i}.pt", epoch) for i in range(len(CANDIDATES)) for epoch in range(1, EPOCHS + 1)]
    assert killing.begun(folder / "epochs.txt") == expected
    return folder / "stage", seconds


def assert_same(folder, whole):
    assert file_sha256(folder / "model.safetensors") == file_sha256(whole / "model.safetensors")
    assert read_json(folder / "manifest.json") == read_json(whole / "manifest.json")
    a, b = (pd.read_csv(path / "history.csv").drop(columns="seconds") for path in (folder, whole))
    pd.testing.assert_frame_equal(a, b, check_exact=True)
    assert {path.name for path in folder.iterdir()} == {"model.safetensors", "manifest.json", "history.csv"}


def test_killed_at_chosen_moments(job, whole, tmp_path):
    """Writes are counted within an attempt; in the fourth, a state of the first candidate and two of the second."""
    folder, epochs = tmp_path / "stage", tmp_path / "epochs.txt"
    plan = [
        ("half of a state is written", 1),
        ("half of a state is written", 3),
        ("a state is written but has no name yet", 2),
        ("a state has its name", 3),
        ("training has ended", 1),
        ("the weights of the checkpoint are written", 1),
        ("the checkpoint is complete", 1),
        (None, 1),
    ]
    attempts = [
        lambda m=moment, c=count: killing.run(train, job(folder), epochs=epochs, moment=m, count=c)
        for moment, count in plan
    ]
    assert killing.killed_often(folder, epochs, attempts) == len(plan) - 1
    total = len(CANDIDATES) * EPOCHS
    # each of the three kills before a state has its name loses the epoch it belongs to, the others lose none
    assert len(killing.begun(epochs)) == total + 3
    assert_same(folder, whole[0])


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_random_moments(job, whole, tmp_path, seed):
    folder, epochs, chance = tmp_path / "stage", tmp_path / "epochs.txt", random.Random(seed)
    waits = [chance.uniform(0, whole[1]) for _ in range(5)] + [None]
    attempts = [lambda wait=wait: killing.run(train, job(folder), epochs=epochs, seconds=wait) for wait in waits]
    kills = killing.killed_often(folder, epochs, attempts)
    assert len(killing.begun(epochs)) <= len(CANDIDATES) * EPOCHS + kills
    assert_same(folder, whole[0])


def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Dropout(0.2), torch.nn.Linear(4, 1))


def draw(generator):
    x = torch.randn(5, 3, generator=generator)
    return {"x": x, "y": (x.sum(-1, keepdim=True), np.arange(5))}


def loss(model, batch):
    return squared(model(batch["x"]), batch["y"][0], torch.ones(()))


CONFIG = TrainingConfig(epochs=3, steps_per_epoch=4, learning_rate=1e-2)
ARGUMENTS = {"draw": draw, "config": CONFIG, "seed": 7, "validation": [draw(torch.Generator()) for _ in range(3)]}


def nth_draw(number):
    generator = torch.Generator().manual_seed(7)
    return [draw(generator) for _ in range(number)][-1]


def broken_at(number, kind):
    """A loss that is fine until the training batch ``number``, whose value or gradient is NaN."""
    calls = 0

    def broken(model, batch):
        nonlocal calls
        parts = loss(model, batch)
        calls += model.training
        if not model.training or calls != number:
            return parts
        if kind == "value":
            return LossParts(parts.numerator * torch.nan, parts.denominator)
        # the derivative of the root at zero is infinite, times zero is NaN, while the value is finite
        return LossParts(parts.numerator + 0 * (parts.numerator - parts.numerator).sqrt(), parts.denominator)

    return broken


@pytest.mark.parametrize("kind, words", [("value", "training loss is nan"), ("gradient", "norm of the gradient is")])
def test_a_nan_stops_with_its_batch_saved(tmp_path, kind, words):
    last = tmp_path / "last0.pt"
    model = network()
    with pytest.raises(FloatingPointError, match=rf"{words}.* at epoch 2, step 3.*nan_batch\.pt") as stop:
        fit(model, loss=broken_at(7, kind), last=last, **ARGUMENTS)
    assert str(tmp_path / "nan_batch.pt") in str(stop.value)
    saved = torch.load(tmp_path / "nan_batch.pt", weights_only=True)
    expected = nth_draw(7)
    assert torch.equal(saved["batch"]["x"], expected["x"]) and torch.equal(saved["batch"]["y"][0], expected["y"][0])
    assert saved["batch"]["y"][1].tolist() == list(range(5))
    assert (saved["epoch"], saved["step"], saved["seed"]) == (2, 3, 7) and saved["what"].startswith(words)
    assert torch.isnan(saved["numerator"]) == (kind == "value") and saved["denominator"] == 5
    # the weights are those that met the batch: after six good steps
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in saved["model"].items())
    again = torch.Generator()
    again.set_state(saved["generator"])
    assert torch.equal(draw(again)["x"], expected["x"])
    assert killing.states(tmp_path) == {"last0.pt": 1}


@pytest.mark.parametrize("first, words", [(1, "before training is not finite"), (4, "after epoch 1 is nan")])
def test_a_nan_in_validation_names_and_saves_its_batch(tmp_path, first, words):
    calls = 0

    def broken(model, batch):
        nonlocal calls
        calls += not model.training
        parts = loss(model, batch)
        nan = not model.training and calls > first
        return LossParts(parts.numerator * torch.nan, parts.denominator) if nan else parts

    with pytest.raises(FloatingPointError, match=rf"{words}.*\(batch 2 of 3\).*nan_batch"):
        fit(network(), loss=broken, last=tmp_path / "last.pt", **ARGUMENTS)
    saved = torch.load(tmp_path / "nan_batch.pt", weights_only=True)
    assert torch.equal(saved["batch"]["x"], ARGUMENTS["validation"][1]["x"]) and saved["step"] == 2


def test_a_good_run_saves_no_batch_and_one_without_files_none_either(tmp_path):
    fit(network(), loss=loss, last=tmp_path / "last.pt", **ARGUMENTS)
    assert [path.name for path in tmp_path.iterdir()] == ["last.pt"]
    with pytest.raises(FloatingPointError) as stop:
        fit(network(), loss=broken_at(1, "value"), **ARGUMENTS)
    assert "nan_batch" not in str(stop.value)


def test_the_broken_batch_of_an_earlier_attempt_goes_with_the_next_checkpoint(job, tmp_path):
    (tmp_path / "nan_batch.pt").write_bytes(b"old")
    train(job(tmp_path))
    assert not (tmp_path / "nan_batch.pt").exists()


def test_a_state_of_another_version_starts_over(tmp_path, caplog):
    last = tmp_path / "last.pt"
    torch.save({"identity": "", "weights": torch.zeros(2)}, last)
    result = fit(network(), loss=loss, last=last, **ARGUMENTS)
    assert "was written by another version" in caplog.text
    assert (
        result.history["validation_loss"].tolist()
        == fit(network(), loss=loss, **ARGUMENTS).history["validation_loss"].tolist()
    )


def test_an_unfinished_run_of_other_code_is_not_continued(job, tmp_path):
    """The usual case: training came to NaN, the loss is corrected, the stage runs again."""
    one, two, again = (live_job(replace(job(tmp_path), code=code)).identity for code in ("old", "new", "old"))
    assert one != two and again == one


def test_an_unfinished_run_of_another_network_starts_over(tmp_path, caplog):
    last = tmp_path / "last.pt"
    fit(network(), loss=loss, last=last, stop_after=1, **ARGUMENTS)
    torch.manual_seed(0)
    wider = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Dropout(0.2), torch.nn.Linear(5, 1))
    with caplog.at_level("WARNING"):
        result = fit(wider, loss=loss, last=last, **ARGUMENTS)
    assert "of a network of another shape" in caplog.text
    assert result.history["epoch"].tolist() == [0, 1, 2, 3]
