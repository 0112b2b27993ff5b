"""The run that `dere run` acts on is the one that Snakemake makes."""

import os
from pathlib import Path

import pytest

from dere.workflow import launch
from dere.workflow.configuration import configuration
from dere.workflow.messages import GO_ON

ROOT = Path(__file__).parents[3]
MINE = [Path("mine.yaml")]


def test_overlays_and_settings_decide_in_their_order(tmp_path):
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text("run: first\ntrees: {settings: 2}\n")
    second.write_text("run: second\n")
    found = configuration([ROOT / "config.yaml", first, second])
    assert found["run"] == "second" and found["trees"]["settings"] == 2
    further = launch.read_arguments(["-n", "--config", "run=third", "seeds=[0,1]"])
    found = configuration([ROOT / "config.yaml", first, second], further.config)
    assert found["run"] == "third" and found["seeds"] == [0, 1]


@pytest.mark.parametrize("content", [b"run: [\n", b"run: \xff\n", b"- run\n", b"run: 2020-13-45\n"])
def test_a_file_that_is_no_configuration_is_a_sentence(tmp_path, content):
    file = tmp_path / "b.yaml"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"b\.yaml cannot be read as YAML"):
        configuration([file])


def test_a_missing_file_and_a_wrong_setting_are_sentences(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere.yaml"):
        with pytest.raises(FileNotFoundError, match=f"{path} is no file, but it is given as a configuration file"):
            configuration([path])
    with pytest.raises(ValueError, match="--config seeds: Invalid config definition"):
        configuration([], ["seeds"])


def write(*paths):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


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
    machine = ["--resources", "gpu=1", "--cores", "3"]
    assert launch.make_run(MINE, machine, own[:2]) == 0
    assert called == [
        [*machine, *own],
        [*own, "--report", "results/mine/report.html"],
        ["summary", "results/mine"],
    ]


def test_a_missing_source_is_a_sentence_before_anything_starts(called):
    Path("mine.yaml").write_text("run: mine\nsources: {towers: {paths: [nowhere]}}\nallow_invented: true\n")
    with pytest.raises(ValueError, match=r"^sources\.towers\.paths: nowhere does not exist; correct the path$"):
        launch.make_run(MINE, ["--cores", "1"], [])
    assert not called


@pytest.mark.parametrize("changed", ["tables/skill.csv", "water/tables/skill.csv", "water/changes.html", "report.html"])
def test_a_report_stays_while_it_and_what_it_shows_do_whatever_their_dates(called, monkeypatch, changed):
    """A clock that was wrong for a while leaves a report that is newer than whatever is made later."""
    folder = Path("results/mine")
    write(folder / "water/tables/skill.csv", folder / "water/changes.html", folder / "tables/skill.csv")

    def call(command, descriptors=(), **options):
        called.append(command)
        (folder / "report.html").write_text(f"{len(called)}")
        return 0

    monkeypatch.setattr(launch, "interruptible", call)
    assert launch.write_report(folder, []) == launch.write_report(folder, []) == 0
    os.utime(folder / "tables/skill.csv", (4e9, 4e9))
    assert launch.write_report(folder, []) == 0 and len(called) == 1
    (folder / changed).write_text("another")
    os.utime(folder / "report.html", (5e9, 5e9))
    assert launch.write_report(folder, []) == launch.write_report(folder, []) == 0 and len(called) == 2


@pytest.mark.parametrize(
    "words", [["-n"], ["--dry-run", "--quiet"], ["--until", "harmonise"], ["--lint"], ["some.csv"]]
)
def test_what_leaves_the_run_unfinished_has_no_report(called, words):
    assert launch.make_run(MINE, ["--cores", "1"], words) == 0
    assert called == [["--cores", "1", *words, "--configfile", "mine.yaml"]]


def test_a_failed_run_has_no_report(called, monkeypatch):
    monkeypatch.setattr(launch, "call", lambda *_, **__: 3)
    assert launch.make_run(MINE, [], []) == 3 and not called


def test_a_results_folder_that_cannot_be_written_to_is_a_sentence(called, monkeypatch):
    monkeypatch.setattr(launch.os, "access", lambda path, mode: Path(path).name != "mine")
    with pytest.raises(ValueError, match="results/mine cannot be written to, and the run mine writes below it"):
        launch.make_run(MINE, [], [])
    assert called == []


@pytest.mark.parametrize(("status", "says", "told"), [(1, True, ""), (130, True, GO_ON), (1, False, GO_ON)])
def test_an_interrupted_run_has_the_status_of_a_shell_and_says_once_how_to_go_on(
    called, monkeypatch, capsys, status, says, told
):
    def call(command, descriptors=(), on_interrupt=None, **options):
        on_interrupt()
        return status

    monkeypatch.setattr(launch, "call", call)
    assert launch.interruptible(["snakemake"], says=says) == 130
    assert capsys.readouterr().err.strip() == told
    assert launch.make_run(MINE, [], []) == 130


def test_a_run_that_ends_well_in_spite_of_ctrl_c_goes_on(called, monkeypatch):
    monkeypatch.setattr(launch, "call", lambda *_, on_interrupt, **__: on_interrupt())
    assert not launch.interruptible(["snakemake"])
