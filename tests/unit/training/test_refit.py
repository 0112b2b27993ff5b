"""Tower stages trained once more on training and validation towers together."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from dere.training.predict import predict_sites
from safetensors.torch import load_file

from dere.io import read_json, read_netcdf, write_netcdf
from dere.training import checkpoint, single, towers, uncertain
from dere.training.checkpoint import VALIDATED
from dere.training.job import Job

TEST, VALIDATION = ["XX-S00", "XX-S03", "XX-S06"], ["XX-S01", "XX-S04", "XX-S07"]
STAGES = {
    "baseline": (partial(single.train_towers, "baseline"), ()),
    "kgml_towers": (partial(single.train_towers, "kgml_towers"), ("kgml_simulation",)),
    "towers": (towers.train, ("pure", "age", "plant_types_observed")),
    "uncertain": (uncertain.train, ("pure", "towers")),
}
SETTINGS = {"learning_rate": 5e-3, "pull": 0.01, "refit": True}


@pytest.fixture(scope="module")
def train(run, canonical, tmp_path_factory):
    """Train tower stages with a refit from the parents of ``run``; later stages start from earlier ones."""
    folders, params = run
    parents = folders | {"plant_types_observed": folders["observed"]}

    def train(*names, **files):
        root, own = tmp_path_factory.mktemp("refit"), dict(parents)
        for name in names:
            function, needed = STAGES[name]
            stage = read_json(folders[name] / "manifest.json")["params"]["stage"] | SETTINGS
            job = Job(canonical | files, {n: own[n] for n in needed}, root / name, params | {"stage": stage}, 0, 0)
            function(job)
            own[name] = root / name
        return own, job

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
def test_the_validated_weights_are_those_without_a_refit(stage, train, canonical, run):
    folders, job = train(stage)
    after, before = weights(folders[stage])
    alone = replace(job, output=job.output.with_name("alone"))
    alone = replace(alone, params=job.params | {"stage": job.params["stage"] | {"refit": False}})
    STAGES[stage][0](alone)
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
    after, before = weights(first[stage])
    again = weights(same[stage])
    assert all(torch.equal(after[name], again[0][name]) for name in after)
    other, _ = train(stage, **changed(canonical, tmp_path, VALIDATION, by=1e-3))
    taught = weights(other[stage])
    # a hair's breadth at the validation towers leaves the choice of the epoch alone, but not the refit
    assert all(torch.equal(before[name], taught[1][name]) for name in before)
    assert any(not torch.equal(after[name], taught[0][name]) for name in after)


def test_stage_six_continues_each_from_its_own(train):
    folders, job = train("towers", "uncertain")
    manifest = read_json(job.output / "manifest.json")
    after, before = weights(folders["uncertain"])
    towers_after, towers_before = weights(folders["towers"])
    still = {"stage": job.params["stage"] | {"learning_rate": 1e-12, "pull": 0.0}}
    frozen = replace(job, params=job.params | still, output=job.output.with_name("still"))
    uncertain.train(frozen)
    after_still, before_still = weights(frozen.output)
    for name, value in towers_after.items():
        torch.testing.assert_close(after_still[f"dere.{name}"], value, rtol=0, atol=1e-8)
        torch.testing.assert_close(before_still[f"dere.{name}"], towers_before[name], rtol=0, atol=1e-8)
    assert manifest["refit"] and after.keys() == before.keys()


def test_the_spread_is_that_of_weights_which_never_saw_the_validation_towers(train, canonical, run, tmp_path):
    folders, job = train("towers", "uncertain")
    files, _ = run

    def predicted(uncertain_folder, name):
        parents = {"pure": files["pure"], "uncertain": uncertain_folder}
        predict_sites("dere", replace(job, parents=parents, output=tmp_path / name))
        return read_netcdf(tmp_path / name)

    both = predicted(folders["uncertain"], "both.nc")
    alone = tmp_path / "validated"
    _only_validated(folders["uncertain"], alone)
    validated = predicted(alone, "validated.nc")
    for name in ("gpp", "reco", "nee"):
        np.testing.assert_array_equal(both.attrs[f"spread_{name}"], validated.attrs[f"spread_{name}"])
    assert float(abs(both["prediction"] - validated["prediction"]).max()) > 0


def _only_validated(folder, target):
    """A checkpoint that holds nothing but the validated weights of ``folder``."""

    class Holder(torch.nn.Module):
        def state_dict(self):
            return weights(folder)[1]

    checkpoint.save(target, Holder(), read_json(folder / "manifest.json"), pd.DataFrame())
