"""The run that make acts on is the one that Snakemake makes."""

import os
from pathlib import Path

import pytest

from dere.workflow import launch

ROOT = Path(__file__).parents[3]


def test_overlays_and_settings_decide_in_their_order(tmp_path):
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text("run: first\ntrees: {settings: 2}\n")
    second.write_text("run: second\n")
    found = launch.configuration(ROOT / "config.yaml", [first, second])
    assert found["run"] == "second" and found["trees"]["settings"] == 2
    further = launch.read_arguments(["-n", "--config", "run=third", "seeds=[0,1]"])
    found = launch.configuration(ROOT / "config.yaml", [first, second], further.config)
    assert found["run"] == "third" and found["seeds"] == [0, 1]
    second.write_text("run: [\n")
    with pytest.raises(ValueError, match=r"b\.yaml cannot be read as YAML"):
        launch.configuration(ROOT / "config.yaml", [second])


@pytest.fixture
def called(tmp_path, monkeypatch):
    """Run in an empty folder and return the commands instead of calling them."""
    (tmp_path / "config.yaml").write_text("{}\n")
    (tmp_path / "mine.yaml").write_text("run: mine\n")
    (tmp_path / "results" / "mine" / "tables").mkdir(parents=True)
    (tmp_path / "results" / "mine" / "logs").mkdir()
    monkeypatch.chdir(tmp_path)
    commands = []

    def call(command, descriptors=(), **options):
        commands.append(command[3:])
        return 0

    monkeypatch.setattr(launch, "call", call)
    monkeypatch.setattr(launch.summary, "main", lambda folder: commands.append(["summary", str(folder)]))
    return commands


def test_report_and_summary_are_those_of_the_run_and_get_the_same_arguments(called):
    own = ["--config", "seeds=[0,1]", "--configfile", "mine.yaml"]
    assert launch.main(["--cores", "3", "--gpu", "1", "--overlay", "mine.yaml", "--", *own[:2]]) == 0
    assert called == [
        ["--resources", "gpu=1", "--cores", "3", *own],
        [*own, "--report", "results/mine/report.html"],
        ["summary", "results/mine"],
    ]


def test_a_report_that_is_newer_than_the_run_stays(called):
    report = Path("results/mine/report.html")
    report.write_text("")
    os.utime(report.parent / "tables", (1, 1))
    launch.main(["--overlay", "mine.yaml"])
    assert [command[0] for command in called] == ["--resources", "summary"]
    os.utime(report.parent / "tables", (2e9, 2e9))
    launch.main(["--overlay", "mine.yaml"])
    assert [command[-2] for command in called[2:]] == ["--configfile", "--report", "summary"]


@pytest.mark.parametrize(
    "words", [["-n"], ["--dry-run", "--quiet"], ["--until", "harmonise"], ["--lint"], ["some.csv"]]
)
def test_what_leaves_the_run_unfinished_has_no_report(called, words):
    assert launch.main(["--overlay", "mine.yaml", "--", *words]) == 0
    assert len(called) == 1 and called[0][4:] == [*words, "--configfile", "mine.yaml"]


def test_a_failed_run_has_no_report(called, monkeypatch):
    monkeypatch.setattr(launch, "call", lambda *_, **__: 3)
    assert launch.main(["--overlay", "mine.yaml"]) == 3 and not called


def test_a_results_folder_that_cannot_be_written_to_is_a_sentence(called, monkeypatch, caplog):
    monkeypatch.setattr(launch.os, "access", lambda path, mode: Path(path).name != "mine")
    assert launch.main(["--overlay", "mine.yaml"]) == 1
    assert "results/mine cannot be written to, and the run mine writes below it" in caplog.text
    assert called == []


def test_a_full_disk_before_the_run_is_a_sentence(called, monkeypatch, caplog):
    def full(*arguments):
        raise OSError(28, "No space left on device", ".snakemake")

    monkeypatch.setattr(launch, "held", full)
    assert launch.main(["--overlay", "mine.yaml"]) == 1
    assert ".snakemake cannot be written or read (No space left on device)" in caplog.text
