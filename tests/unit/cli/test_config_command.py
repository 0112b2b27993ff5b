"""``dere config``: a key in words, the schema, the complete configuration of a run."""

import json
from pathlib import Path

import yaml

from dere.run_config.root import normalise
from dere.run_config.schema import schema_text

ROOT = Path(__file__).parents[3]


def test_a_leaf_is_explained(dere):
    found = dere("config", "explain", "stages.mixture.batch")
    assert found.exit_code == 0
    assert found.output.splitlines()[0] == "stages.mixture.batch: Windows per step."
    lines = [line.split(maxsplit=1) for line in found.output.splitlines()[2:]]
    assert lines[:2] == [["type", "whole number"], ["allowed", ">= 1"]]
    assert lines[2][1].endswith("(of stages.defaults.batch)")


def test_a_section_is_explained_by_its_keys(dere):
    lines = dere("config", "explain", "sources").output.splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["simulation", "cover", "towers", "methane"]
    assert lines[-2].endswith("  Flux towers.")


def test_programs_get_the_same(dere):
    leaf = json.loads(dere("config", "explain", "sources.towers.resolution", "--json").output)
    assert (leaf["type"], leaf["default"]) == ("list of texts", ["MM", "DD", "HH", "HR"])
    assert json.loads(dere("config", "explain", "sources", "--json").output)["keys"]["towers"] == "Flux towers."


def test_an_unknown_key_is_a_sentence(dere):
    found = dere("config", "explain", "towers.epochs")
    expected = "Error: towers.epochs is no key of the configuration; did you mean stages.towers.epochs?\n"
    assert (found.exit_code, found.output) == (1, expected)


def test_the_schema_is_that_of_the_editors(dere, tmp_path):
    assert dere("config", "schema").output == schema_text() == (ROOT / "config" / "schema.json").read_text()
    file = tmp_path / "new" / "schema.json"
    assert dere("config", "schema", "-o", str(file)).exit_code == 0
    assert file.read_text() == schema_text()
    found = dere("config", "schema", "-o", str(tmp_path))
    assert found.exit_code == 1 and found.output.startswith(f"Error: {tmp_path} cannot be opened or written as a file")


def test_the_configuration_of_a_run_is_shown_complete(dere, tmp_path, monkeypatch):
    """Outside a checkout the files stand alone, in one they follow config.yaml."""
    (tmp_path / "mine.yaml").write_text("run: mine\nstages: {defaults: {batch: 7}}\n")
    monkeypatch.chdir(tmp_path)
    shown = yaml.safe_load(dere("config", "show", "mine.yaml").output)
    assert shown == normalise({"run": "mine", "stages": {"defaults": {"batch": 7}}})
    for name in ("Snakefile", "config.yaml"):
        (tmp_path / name).write_text("run: other\nseeds: [4]\n")
    (tmp_path / "workflow" / "rules").mkdir(parents=True)
    shown = yaml.safe_load(dere("config", "show", "mine.yaml").output)
    assert (shown["run"], shown["seeds"]) == ("mine", [4])


def test_a_wrong_file_is_a_sentence_per_problem(dere, tmp_path):
    (tmp_path / "mine.yaml").write_text("rum: mine\nfolds: []\n")
    found = dere("config", "show", str(tmp_path / "mine.yaml"))
    assert found.exit_code == 1 and found.output.count("\n") == 2
    assert "rum is not a known configuration key; did you mean run?" in found.output
    (tmp_path / "mine.yaml").write_text("networks: &a\n  dere: *a\n")
    found = dere("config", "show", str(tmp_path / "mine.yaml"))
    assert found.exit_code == 1 and "alias (*name) of itself" in found.output
