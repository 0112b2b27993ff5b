"""Tower stages trained once more on training and validation towers together."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from dere.exchange.co2 import EXCHANGE
from dere.io import read_json, read_netcdf, write_netcdf
from dere.training import checkpoint
from dere.training.checkpoint import VALIDATED
from dere.workflow.train import train as train_stage
from stage_jobs import at_sites, make_job, with_settings

TEST, VALIDATION = ["XX-S00", "XX-S03", "XX-S06"], ["XX-S01", "XX-S04", "XX-S07"]
SETTINGS = {"learning_rate": 5e-3, "pull": 0.01, "refit": True}


@pytest.fixture(scope="module")
def train(run, canonical, tmp_path_factory):
    """Train tower stages with a refit from the parents of ``run``; later stages start from earlier ones."""

    def train(*names, **files):
        root = tmp_path_factory.mktemp("refit")
        for name in run.iterdir():
            if name.name not in names:
                (root / name.name).symlink_to(name)
        for name in names:
            job = with_settings(make_job(name, canonical | files, root), **SETTINGS)
            train_stage(job)
        return root, job

    return train


def weights(folder):
    """Weights after and before the refit."""
    tensors = load_file(folder / "model.safetensors")
    after = {name: value for name, value in tensors.items() if not name.startswith(VALIDATED)}
    return after, {name: tensors[VALIDATED + name] for name in after}


def changed(files, tmp_path, sites, *, by):
    """The towers' file with other fluxes at ``sites``."""
    data = read_netcdf(files["towers"])
    data["flux_value"].loc[{"site": sites}] += by
    return {"towers": write_netcdf(data, tmp_path / "towers.nc")}


@pytest.mark.parametrize("stage", ["baseline", "kgml_towers", "towers"])
def test_the_validated_weights_are_those_without_a_refit(stage, train):
    root, job = train(stage)
    after, before = weights(root / stage)
    alone = with_settings(replace(job, output=job.output.with_name("alone")), refit=False)
    train_stage(alone)
    plain = load_file(alone.output / "model.safetensors")
    assert plain.keys() == before.keys()
    assert all(torch.equal(plain[name], value) for name, value in before.items())
    manifest = read_json(job.output / "manifest.json")
    assert manifest["best_epoch"] > 0 and manifest["refit"] and not list(job.output.glob("last*"))
    assert any(not torch.equal(after[name], before[name]) for name in after)


@pytest.mark.parametrize("stage", ["baseline", "towers"])
def test_validation_towers_teach_the_refit_and_test_towers_nothing(stage, train, canonical, tmp_path):
    first, _ = train(stage)
    same, _ = train(stage, **changed(canonical, tmp_path, TEST, by=50.0))
    after, before = weights(first / stage)
    again = weights(same / stage)
    assert all(torch.equal(after[name], again[0][name]) for name in after)
    other, _ = train(stage, **changed(canonical, tmp_path, VALIDATION, by=1e-3))
    taught = weights(other / stage)
    # a hair's breadth at the validation towers leaves the choice of the epoch alone, but not the refit
    assert all(torch.equal(before[name], taught[1][name]) for name in before)
    assert any(not torch.equal(after[name], taught[0][name]) for name in after)


def test_stage_six_continues_each_from_its_own(train):
    root, job = train("towers", "uncertain")
    manifest = read_json(job.output / "manifest.json")
    after, before = weights(root / "uncertain")
    towers_after, towers_before = weights(root / "towers")
    still = with_settings(replace(job, output=job.output.with_name("still")), learning_rate=1e-12, pull=0.0)
    train_stage(still)
    after_still, before_still = weights(still.output)
    for name, value in towers_after.items():
        torch.testing.assert_close(after_still[f"dere.{name}"], value, rtol=0, atol=1e-8)
        torch.testing.assert_close(before_still[f"dere.{name}"], towers_before[name], rtol=0, atol=1e-8)
    assert manifest["refit"] and after.keys() == before.keys()


@pytest.mark.parametrize(
    ("method", "stage"),
    [("baseline", "baseline"), ("kgml", "kgml_towers"), ("dere_towers", "towers"), ("dere", "uncertain")],
)
def test_the_spread_is_that_of_weights_which_never_saw_the_validation_towers(method, stage, train, canonical, tmp_path):
    root, _ = train(*(("towers",) if method == "dere" else ()), stage)
    both = at_sites(method, canonical, root, tmp_path / "both.nc")
    # the same checkpoint, but the weights that predict are those that were validated
    found = checkpoint.read(root / stage, EXCHANGE)
    (tmp_path / "models").mkdir()
    for folder in root.iterdir():
        if folder.name != stage:
            (tmp_path / "models" / folder.name).symlink_to(folder.resolve())
    checkpoint.save(tmp_path / "models" / stage, replace(found, arrays=found.unseen, unseen=None), EXCHANGE)
    validated = at_sites(method, canonical, tmp_path / "models", tmp_path / "validated.nc")
    # rescaling for members takes no part: there is one
    for name in ("scale", "dof", "shares"):
        np.testing.assert_array_equal(both.attrs[f"error_model_{name}"], validated.attrs[f"error_model_{name}"])
    assert float(abs(both["prediction"] - validated["prediction"]).max()) > 0
