"""``dere check`` names every problem of a configuration and of the sources that it names."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dere.ingest.tower import discovery
from dere.workflow import preflight

ROOT = Path(__file__).parents[3]


@pytest.fixture
def check(dere, tmp_path, monkeypatch):
    """Return what checks a configuration of some text in an empty folder, and gives status and lines."""
    monkeypatch.chdir(tmp_path)

    def checked(text):
        Path("mine.yaml").write_text(text)
        found = dere("check", "mine.yaml")
        return found.exit_code, found.output.splitlines()

    return checked


def test_outside_a_checkout_it_says_so_and_looks_at_the_rest(check, tmp_path):
    status, lines = check("downloads: {folder: elsewhere}\n")
    assert status == 0 and lines[-1] == "Nothing is missing."
    assert lines[1] == f"{tmp_path} is not in a checkout of dere, which dere run needs."
    assert lines[2].startswith("Optional, none in elsewhere yet: carbonglobe main, ")


def test_every_problem_is_a_line(check):
    status, lines = check("rum: mine\nfolds: []\n")
    problems = [line for line in lines if line.startswith("Problem: ")]
    assert status == 1 and len(problems) == 2
    assert any(line.startswith("Problem: rum is not a known configuration key") for line in problems)


def test_missing_and_empty_sources_are_named(check):
    Path("empty").mkdir()
    Path("there").mkdir()
    Path("there", "file.csv").write_text("")
    text = "sources: {cover: {path: nowhere, age: {path: there/file.csv}}, towers: {paths: [there, empty]}}"
    text += "\nallow_invented: true"
    status, lines = check(text)
    assert status == 1 and [line for line in lines if line.startswith("Problem: ")] == [
        "Problem: sources.cover.path: nowhere does not exist; correct the path.",
        "Problem: sources.towers.paths: empty is an empty folder; correct the path.",
    ]
    assert check(text.replace("towers: {", "towers: {provider: bundled, "))[1] == lines, "folders beside the package's"
    unread = text.replace("cover: {path", "cover: {provider: igbp, path").replace(", empty", "")
    assert check(unread)[0] == 0


def test_what_the_rules_would_refuse_is_a_problem(check, monkeypatch):
    abcflux = next(source for source in discovery.known_sources() if source.name == "ABCflux")
    monkeypatch.setattr(discovery, "known_sources", lambda: (abcflux, replace(abcflux, name="twin")))
    Path("ABCflux.csv").write_text("")
    status, lines = check("sources: {towers: {paths: [ABCflux.csv]}}\nallow_invented: true")
    assert status == 1 and lines[-1].startswith("Problem: ABCflux.csv is named like files of ABCflux and of twin, but")


def test_without_the_packages_of_the_workflow_it_says_so(check, monkeypatch):
    monkeypatch.setitem(sys.modules, "snakemake.cli", None)
    monkeypatch.delitem(sys.modules, "dere.workflow.configuration", raising=False)
    status, lines = check("run: mine\n")
    assert status == 1 and lines[-1].startswith("Problem: the package snakemake.cli cannot be found, but")


def test_in_a_checkout_the_findings_of_make_check_stand_too(dere, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT / "docs")
    monkeypatch.setattr(preflight, "tools", lambda: "make cannot be found; install it")
    monkeypatch.setenv("DERE_REALDATA", str(tmp_path))
    lines = dere("check").output.splitlines()
    assert any(line.startswith("make demo takes about ") for line in lines)
    assert "Problem: make cannot be found; install it." in lines
    assert f"Problem: {preflight.inputs(str(tmp_path))}." in lines
