"""A call of Snakemake and its jobs agree on what a job was planned with."""

import os
import shutil

import pytest

from dere.workflow import plan
from dere.workflow.plan import PLAN, Planned, PlannedFile, agreed, agreed_values, begin, files_behind, state_of


@pytest.fixture
def begun(tmp_path, monkeypatch):
    """Begin a plan, as the calling process does, and forget it at the end."""
    monkeypatch.setattr(plan, "_known", {})
    monkeypatch.setattr(plan.atexit, "register", lambda *_: None)
    monkeypatch.setenv(PLAN, "")
    begin(tmp_path)
    return os.environ[PLAN]


def another_process(monkeypatch):
    monkeypatch.setattr(plan, "_known", {})


def test_whoever_comes_first_decides_for_all(begun, monkeypatch):
    file = PlannedFile("dere.a", "src/dere/a.py", (1, 2, 3, 4), "f00")
    assert agreed("code harmonise", lambda: Planned("old", [file])) == "old"
    another_process(monkeypatch)
    assert agreed("code harmonise", lambda: Planned("new")) == "old"
    assert agreed("code evaluate", lambda: Planned("new")) == "new"
    assert files_behind("old") == [file] and files_behind("new") == []


def test_jobs_have_the_configuration_that_the_call_had(begun, monkeypatch):
    """A job of a cluster reads the files again, which may have been edited for the next run by then."""
    planned = {"seeds": [0, 1], "trees": {"rate": 0.1, "depth": None, "Größe": "ä"}}
    assert agreed_values("configuration", planned) == planned
    another_process(monkeypatch)
    assert agreed_values("configuration", {"seeds": [2]}) == planned
    monkeypatch.delenv(PLAN)
    assert agreed_values("configuration", {"seeds": [2]}) == {"seeds": [2]}


def test_a_plan_that_was_written_in_between_counts(begun, monkeypatch):
    def slow():
        another_process(monkeypatch)
        assert agreed("code", lambda: Planned("faster")) == "faster"
        return Planned("slower")

    assert agreed("code", slow) == "faster"


def test_file_systems_without_links_agree_too(begun, monkeypatch):
    def refuse(*_):
        raise OSError("not supported")

    monkeypatch.setattr(plan.os, "link", refuse)
    assert agreed("code", lambda: Planned("one")) == "one"
    another_process(monkeypatch)
    assert agreed("code", lambda: Planned("two")) == "one"
    assert not [name for name in os.listdir(begun) if name.startswith(".")]


def test_another_call_has_a_plan_of_its_own_and_old_ones_go(begun, tmp_path):
    agreed("code", lambda: Planned("one"))
    old = tmp_path / "plans" / "killed long ago"
    old.mkdir()
    os.utime(old, (0, 0))
    begin(tmp_path)
    assert os.environ[PLAN] != begun and not old.exists() and os.path.isdir(begun)
    assert agreed("code", lambda: Planned("two")) == "two"


def test_a_plan_that_another_call_removes_meanwhile_is_no_failure(begun, tmp_path):
    (tmp_path / "plans" / "gone").symlink_to("nowhere")
    assert begin(tmp_path) == "" and os.environ[PLAN] != begun


def test_without_a_plan_everybody_looks_for_himself(monkeypatch):
    another_process(monkeypatch)
    monkeypatch.delenv(PLAN, raising=False)
    assert agreed("code", lambda: Planned("here")) == "here"
    assert files_behind("here") == []


def test_a_plan_that_was_removed_stops_the_jobs_of_its_call(begun):
    """Without it, a job would be of code that nobody compared."""
    agreed("code", lambda: Planned("one"))
    shutil.rmtree(begun)
    with pytest.raises(ValueError, match="was removed while the run went on; call again"):
        files_behind("one")


def test_where_nothing_may_be_written_there_is_no_plan(tmp_path, monkeypatch):
    monkeypatch.setenv(PLAN, "that of another call")
    (tmp_path / "file").write_text("")
    assert "edited while this run goes on will not be noticed" in begin(tmp_path / "file")
    assert PLAN not in os.environ


def test_a_written_file_has_another_state_whatever_its_date(tmp_path):
    path = tmp_path / "tower.csv"
    path.write_text("old")
    before = state_of(path)
    found = path.stat()
    path.write_text("new")
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert path.stat().st_mtime_ns == found.st_mtime_ns and state_of(path) != before
    assert state_of(tmp_path / "none") == ()
