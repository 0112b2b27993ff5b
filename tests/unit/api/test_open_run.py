"""What a run offers, and what it says where something is missing."""

import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import dere
from dere.io import read_netcdf, write_netcdf
from dere.workflow import layout
from tiny_run import write_run

SOURCE = Path(__file__).parents[3] / "src"


def test_importing_the_package_loads_nothing_else():
    program = "import sys; before = set(sys.modules); import dere; print(*(set(sys.modules) - before)); dir(dere)"
    environment = {"PYTHONPATH": str(SOURCE), "PATH": "/usr/bin:/bin"}
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert {name for name in shown.stdout.split() if name.partition(".")[0] not in sys.stdlib_module_names} == {"dere"}


def test_every_name_of_the_front_is_there_and_no_other():
    assert set(dir(dere)) == {*dere.__all__, "__version__"}
    assert all(callable(getattr(dere, name)) for name in dere.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'opn_run'"):
        dere.opn_run  # noqa: B018


def test_a_run_holds_configuration_data_and_splits(invented):
    run = dere.open_run(invented)
    assert isinstance(run.config, dere.Config) and run.config.stages.baseline.epochs == 2
    assert (run.name, run.methods) == ("invented", ("climatology", "baseline", "dere_towers"))
    assert dict(run.towers.sizes) == dict(run.towers.load().sizes) and run.towers.sizes["site"] == 10
    assert run.drivers.sizes["cell"] == run.simulation.sizes["cell"] == run.cover.sizes["cell"] == 12
    assert set(run.splits["kind"]) == {"site", "cell"} and run.truth is None
    # lazy: nothing is read yet
    assert not run.simulation["state"].variable._in_memory
    shown = repr(run)
    assert "climatology, baseline, dere_towers" in shown and "statistics, labels" in shown and "none yet" in shown


def test_tables_are_read_as_they_were_written(invented, tmp_path):
    run = dere.open_run(invented)
    folder = tmp_path / "tables"
    folder.mkdir()
    values = np.random.default_rng(0).normal(size=50)
    written = pd.DataFrame({"fold": ["0", "all"] * 25, "seed": "0", "nse": values})
    written.to_csv(folder / "skill.csv", index=False)
    tables = type(run.tables)(folder)
    assert list(tables) == ["skill"] and len(tables) == 1
    pd.testing.assert_frame_equal(tables["skill"], written, check_exact=True)
    with pytest.raises(FileNotFoundError, match=r"skil\.csv does not exist, .* \(there are skill\); correct the name"):
        tables["skil"]


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda run: run.skill, r"tables/skill\.csv does not exist, but a table of the run is expected"),
        (lambda run: run.predictions("baseline"), r"fold0/seed0\.nc does not exist; rule predict_baseline makes"),
        (lambda run: run.predictions("climatology", cells=True), r"_cells\.nc does not exist; rule map_climatology"),
        (lambda run: run.ensemble("baseline"), r"ensemble\.nc does not exist; rule ensemble makes it: snakemake"),
        (lambda run: run.fitted("baseline"), r"baseline/manifest\.json does not exist; rule train_baseline makes it"),
        (lambda run: run.canonical("labels", seed=3), r"labels\.nc does not exist; rule impute_labels makes it"),
    ],
)  # fmt: skip
def test_what_is_not_made_yet_says_what_makes_it(invented, ask, sentence):
    with pytest.raises(FileNotFoundError, match=sentence):
        ask(dere.open_run(invented))


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda run: run.predictions("basline"), "basline is no method that predicts co2; choose from climatology"),
        (lambda run: run.predictions("baseline", "rnn"), "backbone: rnn is not a known backbone; choose from"),
        (lambda run: run.predictions("climatology", "timexer"), "backbone: climatology has no network"),
        (lambda run: run.predictions("baseline", fold=3), r"fold: 3 is not a fold; splits\.folds is 3, so .* 0 to 2"),
        (lambda run: run.predictions("baseline", fold="0"), "fold: '0' is no whole number; give one, without quotes"),
        (lambda run: dere.fit("baseline", run, seed=1.5), r"seed: 1\.5 is no whole number"),
        (lambda run: dere.evaluate(pd.DataFrame(), run, fold=True), "fold: True is no whole number"),
        (lambda run: run.canonical("nope"), "nope is no canonical file; choose from drivers, "),
        (lambda run: dere.fit("baseline", run, folder=__file__), r"folder: .*\.py is a file, but a folder"),
        (lambda run: dere.evaluate(run, pd.DataFrame()), "run: a DataFrame is given, but a Run"),
        (lambda run: dere.fit(run, "baseline"), r"run: a str is given, but a Run \(dere\.open_run\) is expected"),
        (lambda run: dere.predict(run, run), r"model: a Run is given, but a Model \(dere\.fit\) is expected"),
        (lambda run: dere.evaluate(run.towers["record"], run), "predictions: a DataArray is given, but a dataset"),
        (lambda run: dere.evaluate(run.folder, run), "invented is a folder, but a csv or NetCDF"),
    ],
)
def test_what_no_run_can_have_is_refused(invented, ask, sentence):
    with pytest.raises(ValueError, match=sentence):
        ask(dere.open_run(invented))


def test_a_run_travels_between_processes_after_it_was_used(invented):
    run = dere.open_run(invented)
    assert run.config.run == run.name and len(run.tables) == 0
    again = pickle.loads(pickle.dumps(run))
    assert again == run and again.config.model_dump() == run.config.model_dump()


def test_what_another_version_or_a_broken_disk_left_is_a_sentence(canonical, tmp_path):
    folder = write_run(tmp_path, canonical)
    run = dere.open_run(folder)
    dere.fit("climatology", run, folder=folder / "kept")
    stored = run.folder / layout.checkpoint("co2", "climatology").format(backbone="none", fold=0, seed=0)
    shutil.copytree(folder / "kept" / "climatology", stored)
    (stored / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"model\.safetensors does not exist beside manifest\.json; delete"):
        run.fitted("climatology")
    towers = read_netcdf(run.canonical("towers"))
    write_netcdf(towers.assign(flux_quality=towers["flux_quality"].mean("flux")), run.canonical("towers"))
    with pytest.raises(ValueError, match=r"towers\.nc was written by another version of dere .*; make the run again"):
        run.towers  # noqa: B018
    (folder / "config.yaml").unlink()
    (folder / "config.yaml").mkdir()
    with pytest.raises(ValueError, match=r"config\.yaml is no file"):
        dere.open_run(folder)
    with pytest.raises(FileNotFoundError, match=r"splits\.csv is no folder, but the folder of a run is expected"):
        dere.open_run(folder / "data" / "splits.csv")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("run: &a [*a]", r"the configuration holds an alias \(\*name\) of itself"),
        (None, r"config\.yaml does not exist, but every run states its configuration there; make it with snakemake"),
        ("run: [", r"config\.yaml cannot be read as YAML"),
        ("- 1", r"config\.yaml holds list, but keys and values are expected"),
        ("sedes: [0]", "sedes is not a known configuration key; did you mean seeds"),
        ("run: x", r"has the exchanges co2, but ch4 is asked for; choose one of them"),
    ],
)
def test_a_folder_that_is_no_run_is_a_sentence(tmp_path, text, sentence):
    if text is not None:
        (tmp_path / "config.yaml").write_text(text)
    with pytest.raises((ValueError, FileNotFoundError), match=sentence):
        dere.open_run(tmp_path, exchange="ch4")
    with pytest.raises(FileNotFoundError, match="does not exist, but the folder of a run is expected"):
        dere.open_run(tmp_path / "nowhere")
