"""Two processes train what one does: shares of batches, loss curves, resuming, failures."""

import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

import shared_training as jobs
from dere.imputation.point import Rows
from dere.training.loop import LossParts
from dere.training.losses import squared, together, with_pull
from dere.training.parallel import Team, local_device, share, team
from dere.training.simulation import Batch
from dere.workflow import devices
from dere.workflow.devices import ON_CPU, on_devices, processes
from dere.workflow.train import train
from stage_jobs import make_jobs, with_settings


@pytest.fixture(autouse=True)
def one_thread_each(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", ON_CPU):
        monkeypatch.delenv(name, raising=False)


def in_two(monkeypatch, job, *arguments, **options):
    monkeypatch.setenv(ON_CPU, "2")
    on_devices(job, *arguments, gpu=0, **options)


@dataclass(frozen=True)
class Pair:
    first: Tensor
    second: np.ndarray


@pytest.mark.parametrize("rows, parts", [(7, 2), (4, 4), (9, 4)])
def test_shares_together_are_the_batch(rows, parts):
    x = torch.arange(rows * 2).view(rows, 2)
    batch = Pair(x, x.numpy() + 1)
    shares = [share([batch, (x, x)], part, parts) for part in range(parts)]
    assert torch.equal(torch.cat([s[0].first for s in shares]), x)
    assert np.array_equal(np.concatenate([s[0].second for s in shares]), x.numpy() + 1)
    assert all(torch.equal(s[1][0], s[0].first) and isinstance(s[1], tuple) for s in shares)
    sizes = [len(s[1][1]) for s in shares]
    assert max(sizes) - min(sizes) <= 1 and sum(sizes) == rows


def test_batches_with_something_that_has_no_rows_share_the_rest():
    batch = Batch(torch.arange(5), torch.arange(3))
    parts = [share(batch, part, 2) for part in range(2)]
    assert torch.equal(torch.cat([p.windows for p in parts]), batch.windows)
    assert all(torch.equal(p.ages, batch.ages) for p in parts)
    rows = Rows(*(torch.rand(6, 5, 2) for _ in range(3)), torch.rand(6, 5))
    parts = [share(rows, part, 2) for part in range(2)]
    assert torch.equal(torch.cat([p.inputs for p in parts], 1), rows.inputs)
    assert torch.equal(torch.cat([p.weights for p in parts], 1), rows.weights)


def test_what_cannot_be_shared_is_said():
    with pytest.raises(ValueError, match="a training batch has 2 rows, 3 processes share it"):
        share(torch.zeros(2), 0, 3)
    with pytest.raises(TypeError, match="a batch of type str has no rows"):
        share("abc", 0, 2)


def test_alone_nothing_changes():
    alone, x = team(), torch.ones(3, requires_grad=True)
    assert alone == Team(0, 1) and alone.leads and list(alone.own(3)) == [0, 1, 2]
    assert torch.equal(alone.total(x)[0], x) and not alone.total(x)[0].requires_grad
    state = torch.get_rng_state()
    alone.seed_epoch(1, 2)
    assert torch.equal(torch.get_rng_state(), state) and alone.smallest(4) == 4 and local_device() == "cuda"
    Team(1, 2).seed_epoch(1, 2)
    assert not torch.equal(torch.get_rng_state(), state)


def test_penalties_count_once_and_means_stay_means_however_a_batch_is_cut():
    prediction, truth, weight = torch.randn(6), torch.randn(6), torch.rand(6)

    def parts(rows):
        first = squared(prediction[rows], truth[rows], weight[rows])
        return together(with_pull(first, 3.0), squared(prediction[rows], truth[rows] + 1, torch.ones(())), 0.5)

    first = (weight * (prediction - truth) ** 2).sum() / weight.sum()
    expected = first + 3.0 + 0.5 * ((prediction - truth - 1) ** 2).mean()
    torch.testing.assert_close(parts(slice(None)).mean, expected)
    a, b = parts(slice(0, 2)), parts(slice(2, 6))
    torch.testing.assert_close(LossParts(a.numerator + b.numerator, a.denominator + b.denominator).mean, expected)


@pytest.fixture(scope="module")
def both(canonical, tmp_path_factory):
    """The same jobs in one process and in two; dropout is zero, because its stream is each process's own."""
    root = tmp_path_factory.mktemp("both")
    stages = make_jobs(canonical, root, dropout=0.0)
    for parent in ("pure", "mixture", "age", "plant_types_simulated", "plant_types_observed"):
        train(with_settings(stages[parent], epochs=1, steps_per_epoch=1))
    candidates = [{"learning_rate": rate, "pull": 0.1} for rate in (2e-3, 5e-3)]
    chosen = [with_settings(stages["pure"], batch=5), with_settings(stages["towers"], batch=5, candidates=candidates)]
    one, two = root / "one", root / "two"
    one.mkdir()
    two.mkdir()
    jobs.everything(one, chosen)
    (two / "other").symlink_to(one / "own")
    records = []
    handler = logging.Handler()
    handler.emit = records.append
    root_logger, level = logging.getLogger(), logging.getLogger().level
    root_logger.addHandler(handler)
    root_logger.setLevel(logging.INFO)
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ |= {ON_CPU: "2", "OMP_NUM_THREADS": "1"}
    try:
        on_devices(jobs.everything, two, chosen, gpu=0)
    finally:
        root_logger.removeHandler(handler)
        root_logger.setLevel(level)
        del os.environ[ON_CPU]
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
    return one, two, [record.getMessage() for record in records]


def same_curves(a: Path, b: Path):
    a, b = pd.read_csv(a), pd.read_csv(b)
    for name in ("training_loss", "validation_loss"):
        np.testing.assert_allclose(a[name], b[name], rtol=1e-5, atol=1e-7)
    assert a["validation_loss"].nunique() > 1


def test_a_plain_loop_has_the_same_loss_curve_and_weights(both):
    one, two, _ = both
    same_curves(one / "plain.csv", two / "plain.csv")
    torch.testing.assert_close(torch.load(one / "plain.pt"), torch.load(two / "plain.pt"), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("stage", ["pure", "towers"])
def test_a_stage_has_the_same_loss_curve(both, stage):
    one, two, _ = both
    same_curves(one / stage / "history.csv", two / stage / "history.csv")
    a, b = (load_file(folder / stage / "model.safetensors") for folder in (one, two))
    assert {k: v.shape for k, v in a.items()} == {k: v.shape for k, v in b.items()}


def test_an_unfinished_training_goes_on_with_another_number_of_processes(both, tmp_path):
    one, two, _ = both
    same_curves(one / "plain.csv", two / "resumed.csv")
    _, history = jobs.plain(two / "own" / "last.pt")
    whole = pd.read_csv(one / "plain.csv")
    np.testing.assert_allclose(history["validation_loss"], whole["validation_loss"], rtol=1e-5)
    a, b = (torch.load(folder / "own" / "last.pt", weights_only=True) for folder in (one, two))
    assert a.keys() == b.keys() and torch.equal(a["generator"], b["generator"])


def test_only_the_first_process_writes_and_speaks(both):
    one, two, messages = both
    assert not [m for m in messages if "rank 1" in m] and "rank 0 of 2 speaks" in messages
    assert "training in 2 processes" in messages
    assert {f.name for f in (one / "towers").iterdir()} == {f.name for f in (two / "towers").iterdir()}


def test_a_nan_in_one_process_stops_all_and_saves_the_whole_batch(both):
    _, two, _ = both
    sentences = [(two / f"rank{rank}.txt").read_text() for rank in range(2)]
    assert sentences[0] == sentences[1] and "epoch 2, step 2" in sentences[0] and "nan_batch.pt" in sentences[0]
    saved = torch.load(two / "broken" / "nan_batch.pt", weights_only=True)
    for a, b in zip(saved["batch"], jobs.NAN_BATCH, strict=True):
        assert torch.equal(a, b)


def test_a_sentence_in_a_process_is_the_sentence_of_the_job(monkeypatch):
    with pytest.raises(ValueError, match="a training batch has 1 rows, 2 processes share it"):
        in_two(monkeypatch, jobs.too_small)


def test_a_killed_process_ends_the_training(monkeypatch):
    with pytest.raises(ChildProcessError, match="process 2 of 2 of this training was killed by signal 9"):
        in_two(monkeypatch, jobs.one_is_killed)


def test_no_process_outlives_a_killed_job(tmp_path):
    code = (
        "import sys, pathlib, shared_training as jobs\nfrom dere.workflow.devices import on_devices\n"
        "on_devices(jobs.say_who_and_wait, pathlib.Path(sys.argv[1]), gpu=0)"
    )
    environment = os.environ | {ON_CPU: "2", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    job = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], env=environment)
    _until(lambda: len(list(tmp_path.glob("*.pid"))) == 2)
    os.kill(job.pid, signal.SIGKILL)
    job.wait()
    _until(lambda: not any(Path("/proc", file.stem).exists() for file in tmp_path.glob("*.pid")))


def _until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_number_of_processes_follows_the_devices(monkeypatch, caplog):
    assert processes(0) == 1 and processes(4) == 1
    monkeypatch.setenv(ON_CPU, "3")
    assert processes(0) == 3
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert processes(0) == 3 and processes(1) == 1 and processes(2) == 2
    assert not caplog.records
    assert processes(4) == 2
    assert "gpu=4 was granted, but only 2 CUDA devices are visible" in caplog.text
    monkeypatch.setenv(ON_CPU, "two")
    with pytest.raises(ValueError, match="DERE_CPU_PROCESSES='two' is no number of processes"):
        processes(0)


def test_one_device_stays_in_this_process():
    seen = []
    on_devices(lambda value: seen.append((value, os.getpid())), 5, gpu=1)
    assert seen == [(5, os.getpid())]


def test_more_processes_than_devices_are_refused(monkeypatch):
    monkeypatch.setenv("RANK", "2")
    monkeypatch.setenv("WORLD_SIZE", "3")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ValueError, match="process 3 of this node found 2 CUDA devices"):
        on_devices(jobs.too_small, gpu=2)
    assert devices.started_by_torchrun()
