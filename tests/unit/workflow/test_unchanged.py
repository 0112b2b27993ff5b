"""A job is of the code and the inputs that it was planned with, or says so."""

import os
import time
from pathlib import Path

import pytest

from dere.io import file_sha256
from dere.workflow import plan, unchanged
from dere.workflow.digest import covered, mark
from dere.workflow.job_record import read_record, record_of
from dere.workflow.plan import PLAN, Planned, PlannedFile, agreed, begin, state_of
from dere.workflow.planned import Maker
from dere.workflow.unchanged import Watch


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with an input, a table of the package and an intermediate file; nothing counts as just written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plan, "_known", {})
    monkeypatch.setattr(plan.atexit, "register", lambda *_: None)
    monkeypatch.setattr(unchanged, "_LOADING_S", -1.0)
    monkeypatch.setattr(unchanged, "_age", lambda: -1.0)
    monkeypatch.setenv(PLAN, "")
    begin()
    for name in ("tower.csv", "table.csv", "interim.nc"):
        Path(name).write_text(f"content of {name}")
    return tmp_path


def planned(name, kind):
    path = Path(name).absolute()
    return PlannedFile(kind, str(path), state_of(path), file_sha256(path))


def watch(**more):
    agreed("code", lambda: Planned("c0de", [planned("table.csv", "dere.ingest/table.csv")]))
    agreed("content", lambda: Planned("c0ntent", [planned("tower.csv", "tower.csv")]))
    return Watch(
        "demo harmonise",
        {"fold": "0"},
        "c0de",
        "c0ntent",
        "numpy 1.0, python 3.0",
        inputs=["tower.csv", "interim.nc"],
        **more,
    )


def note():
    return read_record(record_of("demo harmonise", {"fold": "0"}))


def test_a_quiet_job_notes_its_versions_and_no_word(place):
    job = watch()
    job.start()
    job.end()
    assert note().again == "" and note().versions == "numpy 1.0, python 3.0"
    assert set(note().used) == {"numpy", "python"} and note().used["numpy"] != "1.0"


@pytest.mark.parametrize("name", ["tower.csv", "table.csv"])
def test_what_changed_between_plan_and_start_stops_the_job(place, name):
    job = watch()
    Path(name).write_text("another content")
    with pytest.raises(ValueError, match=f"{name} changed after this run was planned.*call again"):
        job.start()
    Path(name).unlink()
    with pytest.raises(ValueError, match=f"{name} changed after"):
        job.start()
    assert note() is None


def test_what_is_edited_while_the_call_still_plans_stops_the_job(place):
    """A call reads each file of the code once, long before it comes to the last rule."""
    script, source = place / "train.py", place / "src"
    source.mkdir()
    script.write_text("X = 1\n")
    read = covered(script, source)
    maker = Maker("demo train", lambda _: read, source, "warn")
    mark(script, source)
    script.write_text("X = 2\n")
    code = maker.code({})
    with pytest.raises(ValueError, match=r"train\.py changed after this run was planned"):
        Watch("", {}, code).start()


@pytest.mark.parametrize(("name", "value"), [("_LOADING_S", 60.0), ("_age", lambda: 60.0)])
def test_a_touch_stops_nothing_but_code_that_just_came_back_does(place, monkeypatch, name, value):
    """This process may have loaded either before it looked."""
    Path("module.py").write_text("X = 1\n")
    path = Path("module.py").absolute()
    agreed("more", lambda: Planned("m0re", [PlannedFile("script.py", str(path), state_of(path), mark(path, place))]))
    os.utime("tower.csv", (1, 1))
    os.utime("module.py", (1, 1))
    job = Watch("", {}, "m0re", watch().content)
    job.start()
    monkeypatch.setattr(unchanged, name, value)
    with pytest.raises(ValueError, match=r"module\.py changed after this run was planned"):
        job.start()


@pytest.mark.parametrize("name", ["tower.csv", "table.csv", "interim.nc"])
@pytest.mark.parametrize("reverted", [False, True])
def test_what_changed_while_a_job_ran_makes_it_run_again(place, caplog, name, reverted):
    """Even an edit that was taken back: the job may have read it in between."""
    job = watch()
    job.start()
    before = Path(name).read_text()
    time.sleep(0.01)
    Path(name).write_text("another content")
    if reverted:
        Path(name).write_text(before)
    job.end()
    assert len(note().again) == 8 and f"{name} changed while this was made" in caplog.text


def test_a_word_stays_until_the_next_change(place):
    job = watch(again="0a0b0c0d")
    job.start()
    job.end()
    assert note().again == "0a0b0c0d"


def test_a_link_to_an_intermediate_file_is_no_change(place):
    """Backups link files, which gives them another change time."""
    job = watch()
    job.start()
    os.link("interim.nc", "backup.nc")
    job.end()
    assert note().again == ""


def test_modules_are_loaded_at_the_start(place, monkeypatch):
    """What is edited later does not reach the job; a package that is not there, and a plug-in, are its own affair."""
    loaded = []

    def load(name):
        loaded.append(name)
        raise ModuleNotFoundError(name="torch")

    monkeypatch.setattr(unchanged, "import_module", load)
    monkeypatch.setattr(unchanged, "_FOLDER", place / "package")
    files = {"package/a.py": "dere.a", "package/b.csv": "dere.a/b.csv", "train.py": "train.py", "mine.py": "dere.mine"}
    for name in files:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("X = 1\n")
    agreed("own", lambda: Planned("0wn", [planned(name, kind) for name, kind in files.items()]))
    Watch("", {}, "0wn").start()
    assert loaded == ["dere.a"]

    def broken(name):
        raise ModuleNotFoundError(name="dere.b")

    monkeypatch.setattr(unchanged, "import_module", broken)
    with pytest.raises(ModuleNotFoundError):
        Watch("", {}, "0wn").start()
