"""What every method writes: complete and closed, from its checkpoints alone, and blind to the test towers."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.evaluation.predictions import judged
from dere.exchange.co2 import EXCHANGE
from dere.intervals.fitting import fitted as fitted_errors
from dere.intervals.neighbours import regions_of
from dere.intervals.stated import stated
from dere.io import file_sha256, read_netcdf, write_netcdf, write_table
from dere.methods import methods, stages
from dere.methods.base import resolved
from dere.methods.outputs import rebuilt
from dere.training import checkpoint
from dere.training.context import Context
from dere.training.read_places import label_uncertainty, site_places
from dere.variables import QUANTILES
from dere.workflow.members import read_roles
from dere.workflow.predict import Task, predict_sites
from dere.workflow.train import train
from stage_jobs import NETWORK_STAGES, at_cells, at_sites, live_job, make_job, prediction_job

GOLDEN = Path(__file__).parents[2] / "golden"
METHODS = [name for name, method in methods().items() if not method.parts]
SITES = ["XX-S00", "XX-S03", "XX-S06", "XX-S09"]
"""Fold 0, and the site without labels."""


@pytest.fixture(scope="module")
def at_all_sites(canonical, run, tmp_path_factory):
    """Files of the predictions of all methods."""
    folder = tmp_path_factory.mktemp("sites")
    for method in METHODS:
        at_sites(method, canonical, run, folder / f"{method}.nc")
    return folder


@pytest.mark.parametrize("method", METHODS)
def test_predictions_are_complete_closed_and_have_a_spread(method, at_all_sites, canonical):
    result = read_netcdf(at_all_sites / f"{method}.nc")
    assert list(result["site"].values) == [f"XX-S0{number}" for number in range(10)]
    assert list(judged(result)["site"].values) == SITES
    worth = ["cross_validated", "seen_in_training", "seen_in_training"] * 3 + ["unseen"]
    assert result["role"].values.tolist() == worth
    flux = result["prediction"]
    assert np.isfinite(flux).all()
    assert float(abs(flux.sel(flux="reco") - flux.sel(flux="gpp") - flux.sel(flux="nee")).max()) < 1e-12
    assert (result["std"] > 0).all() and result["quantile_value"].dims == ("site", "time", "flux", "quantile")
    assert result["quantile"].values.tolist() == list(QUANTILES)
    assert (result["quantile_value"].diff("quantile") > 0).all()
    assert result.attrs["method"] == method and result.attrs["split"] == file_sha256(canonical["splits"])


@pytest.mark.parametrize("method", ["baseline", "kgml", "dere_towers", "dere"])
def test_the_published_form_predicts_what_version_0_1_predicted(method, at_all_sites):
    """No channels, one network, stands alone (config/published.yaml): recorded before there was anything else."""
    found = judged(read_netcdf(at_all_sites / f"{method}.nc"))["prediction"].transpose("site", "time", "flux")
    with np.load(GOLDEN / "published_predictions.npz") as recorded:
        np.testing.assert_allclose(found.values, recorded[method], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_maps_cover_every_cell_and_close(method, at_all_sites, canonical, run, tmp_path):
    cells = at_cells(method, canonical, at_all_sites / f"{method}.nc", run, tmp_path / "cells.nc")
    assert cells["prediction"].shape == (12, 36, 3) and np.isfinite(cells["prediction"]).all()
    # a flux that is predicted to be zero and cannot be negative has no width
    assert ((cells["std"] > 0) | (cells["prediction"] == 0)).all() and cells["quantile_value"].shape[-1] == len(
        QUANTILES
    )
    flux = cells["prediction"]
    assert float(abs(flux.sel(flux="reco") - flux.sel(flux="gpp") - flux.sel(flux="nee")).max()) < 1e-12


@pytest.mark.parametrize("method", ["climatology", "simulation", "baseline", "dere"])
def test_maps_do_not_depend_on_how_many_cells_are_predicted_at_a_time(
    method, at_all_sites, canonical, run, tmp_path, monkeypatch
):
    sites = at_all_sites / f"{method}.nc"
    whole = at_cells(method, canonical, sites, run, tmp_path / "whole.nc")
    monkeypatch.setattr("dere.cell_files.BLOCK", 5)
    parts = at_cells(method, canonical, sites, run, tmp_path / "parts.nc")
    assert list(whole.variables) == list(parts.variables)
    for name in whole.data_vars:
        np.testing.assert_allclose(parts[name], whole[name], rtol=1e-5, atol=1e-6)


@pytest.fixture(scope="module")
def altered(canonical, tmp_path_factory):
    """The canonical files with other labels at the test towers of fold 0."""
    towers = read_netcdf(canonical["towers"])
    sites = {"site": SITES[:3]}
    towers["flux_value"].loc[sites] = 77.0
    towers["flux_quality"].loc[sites] = 1.0
    towers["flux_uncertainty"].loc[sites] = 5.0
    return canonical | {"towers": write_netcdf(towers, tmp_path_factory.mktemp("altered") / "towers.nc")}


@pytest.fixture(scope="module")
def retrained(run, altered, tmp_path_factory):
    """All stages that read towers, trained again on the altered files; the others are those of ``run``."""
    root = tmp_path_factory.mktemp("retrained")
    for name, stage in stages().items():
        if "towers" in stage.reads:
            train(make_job(name, altered, root))
        else:
            (root / name).symlink_to(run / name)
    return root


@pytest.mark.parametrize("method", METHODS)
def test_labels_of_test_towers_change_no_bit_of_a_file(method, at_all_sites, run, altered, retrained, tmp_path):
    """Neither the weights, nor the predictions, nor their spread."""
    for stage in methods()[method].stages:
        assert file_sha256(retrained / stage / "model.safetensors") == file_sha256(run / stage / "model.safetensors")
    at_sites(method, altered, retrained, tmp_path / "again.nc")
    assert (tmp_path / "again.nc").read_bytes() == (at_all_sites / f"{method}.nc").read_bytes()


@pytest.mark.parametrize("method", METHODS)
def test_labels_of_validation_towers_make_the_spread(method, at_all_sites, canonical, run, tmp_path):
    """With the weights as they are; the trees' spread is among what they learned."""
    towers = read_netcdf(canonical["towers"])
    towers["flux_value"].loc[{"site": ["XX-S01", "XX-S04", "XX-S07"]}] += 20.0
    files = canonical | {"towers": write_netcdf(towers, tmp_path / "towers.nc")}
    first, second = read_netcdf(at_all_sites / f"{method}.nc"), at_sites(method, files, run, tmp_path / "again.nc")
    np.testing.assert_array_equal(first["prediction"], second["prediction"])
    if method in ("gbm", "gbm_sim"):
        np.testing.assert_array_equal(first["std"], second["std"])
    else:
        assert (second["std"] > first["std"] + 3).all()


@pytest.mark.parametrize("method", METHODS)
def test_what_is_predicted_at_training_towers_changes_nothing_else(method, at_all_sites, canonical, run, tmp_path):
    """Other weather and labels there: other predictions there, but no bit of what is judged and of its spread.

    The Gaussian process's spread comes from all towers, as a fit without a tower's cluster predicts each.
    """
    towers = read_netcdf(canonical["towers"])
    seen = {"site": ["XX-S02", "XX-S05", "XX-S08"]}
    towers["flux_value"].loc[seen] = 77.0
    for name in ("air_temperature", "shortwave", "static"):
        towers[name].loc[seen] += 9.0
    for name in ("simulated", "igbp"):
        towers[name].loc[seen] = towers[name].loc[{"site": ["XX-S01", "XX-S04", "XX-S07"]}].values
    files = canonical | {"towers": write_netcdf(towers, tmp_path / "towers.nc")}
    first, second = read_netcdf(at_all_sites / f"{method}.nc"), at_sites(method, files, run, tmp_path / "again.nc")
    assert float(abs(first["prediction"] - second["prediction"]).sel(seen).max()) > 0
    kept = ["role", "learned_static", "learned_cluster"]
    first, second = (judged(file).drop_vars(kept) for file in (first, second))
    if method == "gp":
        np.testing.assert_array_equal(first["prediction"], second["prediction"])
        assert (second["std"] > first["std"] + 3).all()
    else:
        xr.testing.assert_identical(first, second)


def test_climatology_has_the_spread_of_cycles_without_the_validation_towers(canonical, run, at_all_sites):
    """Written out: the errors at the validation towers of cycles that only the training towers made."""
    found = checkpoint.read(run / "climatology", EXCHANGE)
    assert len(found.arrays["cycles"]) == 6 and len(found.unseen["cycles"]) == 3
    towers = read_netcdf(canonical["towers"])
    places = site_places(
        towers, read_roles(canonical["splits"], 0), satellites=False, channels="none", exchange=EXCHANGE
    )
    held_out = places.take(np.array([1, 4, 7]))
    predict = resolved(methods()["climatology"].predict)
    seen, unseen = (predict({"climatology": found}, held_out, None, unseen=u) for u in (False, True))
    alone = predict({"climatology": replace(found, arrays=found.unseen, unseen=None)}, held_out, None)
    np.testing.assert_array_equal(unseen.mean, alone.mean)
    labels = towers["flux_value"].values[[1, 4, 7]]
    uncertainty = label_uncertainty(towers, EXCHANGE)[[1, 4, 7]]
    where = regions_of(towers.isel(site=[1, 4, 7]), "site")
    about = labels, uncertainty, held_out.classes["cluster"].to_numpy(str), None, None, EXCHANGE, where
    expected, other = (stated(fitted_errors(made.mean, *about)) for made in (unseen, seen))
    attrs = read_netcdf(at_all_sites / "climatology.nc").attrs
    for name, value in expected.items():
        np.testing.assert_allclose(attrs[name], value, rtol=1e-6)
    assert attrs["error_model_scale"] != pytest.approx(other["error_model_scale"], rel=1e-3)


@pytest.mark.parametrize("stage", NETWORK_STAGES)
def test_what_a_network_is_built_from_comes_back_from_its_checkpoint(stage, canonical, run):
    """Equal to what it was trained with but for the statistics of the labels, of which only the number matters."""
    expected = Context(live_job(make_job(stage, canonical, run))).blueprint
    found = rebuilt(checkpoint.read(run / stage, EXCHANGE))
    assert replace(found, statistics=expected.statistics) == expected
    for name in ("driver_mean", "driver_std", "static_mean", "static_std", "target_mean", "target_std"):
        np.testing.assert_array_equal(getattr(found.statistics, name), getattr(expected.statistics, name))
    assert found.statistics.flux_std.shape == expected.statistics.flux_std.shape


@pytest.mark.parametrize("method", [name for name in METHODS if methods()[name].stages])
def test_a_run_folder_predicts_when_the_data_folder_is_gone(method, canonical, run, at_all_sites, tmp_path):
    """Places in memory and what the stages left behind are all that a prediction needs."""
    data, models = tmp_path / "data", tmp_path / "models"
    data.mkdir()
    files = {name: shutil.copy(path, data / path.name) for name, path in canonical.items()}
    for stage in methods()[method].predicts_from:
        shutil.copytree(run / stage, models / stage)
    towers = read_netcdf(files["towers"])
    reads = methods()[method].reads_places
    places = site_places(
        towers, read_roles(files["splits"], 0), satellites=False, channels="none", reads=reads, exchange=EXCHANGE
    )
    chosen = places.take(np.flatnonzero(np.isin(places.ids, SITES)))
    del towers
    shutil.rmtree(data)
    fitted = {stage: checkpoint.read(models / stage, EXCHANGE) for stage in methods()[method].predicts_from}
    predicted = resolved(methods()[method].predict)(fitted, chosen, None, unseen=False, gpu=0)
    # alone, to the bit: what is judged does not depend on the towers that are predicted beside it
    expected = judged(read_netcdf(at_all_sites / f"{method}.nc"))["prediction"]
    np.testing.assert_array_equal(predicted.mean, expected)


def test_a_checkpoint_of_another_split_or_fold_is_refused(canonical, run, tmp_path):
    other = pd.read_csv(canonical["splits"]).assign(lat=11.0)
    files = canonical | {"splits": write_table(other, tmp_path / "splits.csv")}
    with pytest.raises(ValueError, match="'split' of the checkpoint is"):
        predict_sites(prediction_job("baseline", files, run, tmp_path / "p.nc"))
    with pytest.raises(ValueError, match="'fold' of the checkpoint is 0, this run has 1"):
        predict_sites(replace(prediction_job("baseline", canonical, run, tmp_path / "p.nc"), fold=1))


def test_months_without_a_prediction_are_refused(canonical, run, tmp_path):
    towers = read_netcdf(canonical["towers"])
    # every window begins with the record, so that none reaches its last year
    towers["window_start"][:] = 0
    files = canonical | {"towers": write_netcdf(towers, tmp_path / "towers.nc")}
    with pytest.raises(ValueError, match="baseline: 48 record months have no prediction; the windows do not cover"):
        predict_sites(prediction_job("baseline", files, run, tmp_path / "p.nc"))


def test_a_spread_from_too_few_months_is_refused(canonical, run, tmp_path):
    towers = read_netcdf(canonical["towers"])
    towers["flux_value"].loc[{"site": ["XX-S01", "XX-S04", "XX-S07"]}] = np.nan
    files = canonical | {"towers": write_netcdf(towers, tmp_path / "towers.nc")}
    with pytest.raises(ValueError, match="only 0 labelled months of gpp at towers not seen"):
        predict_sites(prediction_job("baseline", files, run, tmp_path / "p.nc"))


def test_members_of_which_none_left_a_tower_out_do_not_narrow_the_spread(canonical, run, tmp_path, monkeypatch):
    """The towers behind the spread are then predicted by the mean of all, as any other place is."""
    own = Task.predict

    def scattered(task, places, unseen=False):
        found = own(task, places, unseen=unseen)
        return replace(found, members=np.stack([0.5 * found.mean, 1.5 * found.mean]))

    monkeypatch.setattr(Task, "predict", scattered)
    job = prediction_job("climatology", canonical, run, tmp_path / "p.nc")
    predict_sites(job)
    assert read_netcdf(job.output).attrs["error_model_rescale"].tolist() == [1.0, 1.0, 1.0]
