"""A module is what stands in its file, whatever date that has."""

import os
import py_compile
import subprocess
import sys

import pytest

from dere.workflow.compiled import drop_outdated


@pytest.fixture
def value(tmp_path, monkeypatch):
    """Return what a new process finds in a module; compiled modules are kept beside it."""
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "pycache_prefix", None)

    def found():
        command = [sys.executable, "-S", "-c", "import module; print(module.X)"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.strip()

    return found


def test_an_edit_that_keeps_date_and_size_is_what_runs(tmp_path, value):
    source = tmp_path / "module.py"
    for text in ("X = 1\n", "X = 2\n"):
        source.write_text(text)
        os.utime(source, (1e9, 1e9))
        before = value()
    assert before == "1", "Python itself tells them apart: this module is no longer needed"
    drop_outdated([source, tmp_path / "never_compiled.py"])
    assert value() == "2"


def test_what_is_as_new_as_its_source_stays(tmp_path, value):
    source = tmp_path / "module.py"
    source.write_text("X = 1\n")
    os.link(source, tmp_path / "backup")
    compiled = py_compile.compile(str(source))
    state = os.stat(compiled)
    if state.st_ctime_ns == source.stat().st_ctime_ns:
        os.utime(compiled)
    drop_outdated([source])
    assert os.stat(compiled).st_ino == state.st_ino
