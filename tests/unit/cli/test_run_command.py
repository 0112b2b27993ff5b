"""``dere run`` and ``dere download`` find the checkout and hand on what they were given."""

from pathlib import Path

import pytest

from dere.cli.checkout import checkout
from dere.workflow import launch


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder that looks like a checkout, and work in it."""
    for name in ("Snakefile", "config.yaml"):
        (tmp_path / name).write_text("")
    (tmp_path / "workflow" / "rules").mkdir(parents=True)
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def made(monkeypatch):
    """Return the arguments with which runs and downloads are made, in place of making them."""
    calls = []

    def note(*arguments):
        calls.append((Path.cwd(), *arguments))
        return 3

    monkeypatch.setattr(launch, "make_run", note)
    monkeypatch.setattr(launch, "download", note)
    return calls


def test_files_machine_and_words_are_handed_on_and_the_status_back(folder, made, dere):
    found = dere("run", "a.yaml", "--cores", "3", "b.yaml", "--gpu", "2", "--", "-n", "--", "--config", "run=x")
    assert found.exit_code == 3, found.output
    machine = ["--resources", "gpu=2", "--cores", "3"]
    assert made == [(folder, [Path("a.yaml"), Path("b.yaml")], machine, ("-n", "--", "--config", "run=x"))]


def test_below_the_checkout_files_are_those_of_the_working_directory(folder, made, dere, monkeypatch):
    monkeypatch.chdir(folder / "below")
    dere("run", "a.yaml", "../b.yaml", "/c.yaml")
    below = folder / "below"
    assert made[0][:2] == (folder, [below / "a.yaml", below / "../b.yaml", Path("/c.yaml")])
    assert Path.cwd() == below
    dere("download", "carbonglobe", "a.yaml", "--", "-n")
    assert made[1] == (folder, "carbonglobe", [below / "a.yaml"], ["--cores", "1"], ("-n",))


@pytest.mark.parametrize("words", [["run"], ["download", "carbonglobe"]], ids=lambda words: words[0])
def test_outside_a_checkout_is_a_sentence(tmp_path, made, dere, monkeypatch, words):
    (tmp_path / "Snakefile").write_text("somebody else's")
    monkeypatch.chdir(tmp_path)
    found = dere(*words)
    assert found.exit_code == 1 and not made
    assert f"{tmp_path} is not in a checkout of dere: neither it nor a folder above it holds Snakefile" in found.output


def test_this_repository_is_a_checkout():
    assert checkout(Path(__file__).parent) == Path(__file__).parents[3]


@pytest.mark.parametrize(("listed", "gpu"), [("GPU 0: one", "gpu=1"), ("No devices found", "gpu=0"), (None, "gpu=0")])
def test_without_options_the_machine_decides(folder, made, dere, monkeypatch, listed, gpu):
    program = folder / "bin" / "nvidia-smi"
    program.parent.mkdir()
    if listed:
        program.write_text(f"#!/bin/sh\necho '{listed}'\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0, 1, 2}, raising=False)
    dere("run")
    assert made[0][2] == ["--resources", gpu, "--cores", "3"]


def test_an_option_of_snakemake_before_the_dashes_is_told_where_it_belongs(folder, made, dere):
    found = dere("run", "-n")
    assert found.exit_code == 2 and not made
    assert "Options of Snakemake stand after --, as in " in found.output and "run -- -n" in found.output
