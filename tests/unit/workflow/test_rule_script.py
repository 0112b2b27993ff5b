"""What every rule script does first: log, and end in a sentence on a user's error."""

import errno
import logging
import math
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from snakemake.iocontainers import Params

import shared_training
from dere.config.training import TrainingConfig
from dere.io import read_netcdf
from dere.training.loop import fit
from dere.training.losses import squared
from dere.workflow.devices import ON_CPU, on_devices
from dere.workflow.loaded import CHECK, note_modules
from dere.workflow.rule_job import RuleJob, rule_job
from dere.workflow.script import job_of, logged, named_files


def test_the_log_holds_what_happened(tmp_path, capsys):
    log = tmp_path / "logs" / "train" / "fold0.log"
    with logged(log):
        logging.getLogger("dere.anything").info("12 of 20 sites kept")
    text = log.read_text()
    assert "12 of 20 sites kept" in text and "finished in" in text
    assert capsys.readouterr().err.startswith("train/fold0: ")


def test_an_error_of_the_user_is_one_sentence_and_status_1(tmp_path):
    log = tmp_path / "rule.log"
    with pytest.raises(SystemExit) as end, logged(log):
        read_netcdf(tmp_path / "missing.nc")
    assert end.value.code == 1
    text = log.read_text()
    assert "missing.nc does not exist; run the rule that makes it" in text and "Traceback" not in text


def test_a_training_that_came_to_nan_or_was_killed_ends_in_a_sentence(tmp_path, monkeypatch):
    def lost(model, batch):
        return squared(model(batch) * math.nan, batch, torch.ones(()))

    batch = torch.ones(4, 1)
    arguments = {"draw": lambda generator: batch, "validation": [batch], "config": TrainingConfig(), "seed": 0}
    log = tmp_path / "nan.log"
    with pytest.raises(SystemExit), logged(log):
        fit(torch.nn.Linear(1, 1), loss=lost, **arguments)
    assert "a validation input holds NaN" in log.read_text() and "Traceback" not in log.read_text()
    monkeypatch.setenv(ON_CPU, "2")
    log = tmp_path / "killed.log"
    with pytest.raises(SystemExit), logged(log):
        on_devices(shared_training.one_is_killed, gpu=0)
    assert "was killed by signal 9" in log.read_text() and "Traceback" not in log.read_text()


@pytest.mark.parametrize("error", [ValueError("from elsewhere"), KeyError("x"), ZeroDivisionError("y")], ids=repr)
def test_a_fault_of_the_program_keeps_its_traceback(tmp_path, error):
    log = tmp_path / "rule.log"
    with pytest.raises(SystemExit), logged(log):
        raise error
    assert "Traceback" in log.read_text()


def test_a_full_disk_anywhere_is_one_sentence(tmp_path):
    log = tmp_path / "rule.log"
    with pytest.raises(SystemExit), logged(log):
        raise OSError(errno.ENOSPC, "No space left on device", "results/demo/products")
    text = log.read_text()
    assert "results/demo/products cannot be written or read (No space left on device)" in text
    assert "Traceback" not in text


def test_a_log_that_cannot_be_written_is_one_sentence(tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "logs"))

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    with pytest.raises(SystemExit, match=r"logs cannot be written or read \(Permission denied\)"):
        logged(tmp_path / "logs" / "rule.log").__enter__()


def test_logging_ends_with_the_block(tmp_path):
    with logged(tmp_path / "rule.log"):
        pass
    logging.getLogger("dere").warning("later")
    assert "later" not in (tmp_path / "rule.log").read_text()


def test_job_names():
    assert (
        job_of(Path("results/demo/logs/train_pure/transformer/fold0/seed0.log")) == "train_pure/transformer/fold0/seed0"
    )


class Files(list):
    """Like Snakemake's lists with names."""

    def __init__(self, **named):
        super().__init__(x for value in named.values() for x in ([value] if isinstance(value, str) else value))
        self.named = named

    def items(self):
        """Return names and files."""
        return self.named.items()


CHECKPOINT = Files(model="o/towers/model.safetensors", manifest="o/towers/manifest.json", measured="b/train.csv")
PREDICTION = Files(prediction="p/seed7.nc", measured="b/predict.csv")


def rule(output, **params):
    return SimpleNamespace(
        input=Files(towers="d/towers.nc", parent_pure=["m/pure/model.safetensors", "m/pure/manifest.json"]),
        output=output,
        params=Params(fromdict={"config": {"a": 1}, "code": "c0de", **params}),
        wildcards=SimpleNamespace(fold="2", seed="7"),
        resources=SimpleNamespace(gpu=1),
        threads=3,
    )


def test_job_of_a_training():
    params = {"name": "towers", "room": "dere.methods.dere", "exchange": "co2"}
    assert rule_job(rule(CHECKPOINT, **params)) == RuleJob(
        files={"towers": Path("d/towers.nc")},
        parents={"pure": Path("m/pure")},
        output=Path("o/towers"),
        params={"a": 1},
        fold=2,
        seed=7,
        **params,
        gpu=1,
        threads=3,
        code="c0de",
    )


def test_job_of_a_prediction_name_the_file():
    assert rule_job(rule(PREDICTION)).output == Path("p/seed7.nc")


def test_named_files_are_paths_by_name():
    assert named_files(rule(PREDICTION)) == {
        "towers": Path("d/towers.nc"),
        "parent_pure": [Path("m/pure/model.safetensors"), Path("m/pure/manifest.json")],
    }


def test_a_job_says_which_modules_its_digest_does_not_cover(tmp_path, monkeypatch):
    """Off unless asked for; all modules of this process are noted first, then all but one."""
    with logged(tmp_path / "off.log", "c0de"):
        pass
    monkeypatch.setenv(CHECK, str(tmp_path / "modules"))
    loaded = {name for name in sys.modules if name.startswith("dere.")}
    note_modules("c0de", loaded)
    with logged(tmp_path / "rule.log", "c0de"):
        pass
    note_modules("c0de", loaded - {"dere.training.loop"})
    with pytest.raises(SystemExit), logged(tmp_path / "rule.log", "c0de"):
        pass
    text = (tmp_path / "rule.log").read_text()
    assert "the digest of this rule does not cover dere.training.loop; name them in code(...)" in text


def test_modules_are_noted_only_where_asked_for(tmp_path, monkeypatch):
    monkeypatch.delenv(CHECK, raising=False)
    monkeypatch.chdir(tmp_path)
    note_modules("c0de", ["dere.io"])
    assert not list(tmp_path.iterdir())
