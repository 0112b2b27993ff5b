"""`make check` runs before anything is installed, with a Python that may be too old."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from dere.workflow import preflight

ROOT = Path(__file__).parents[3]
FIRST_READ = (ROOT / "workflow" / "check.py", Path(preflight.__file__))


def call(*words, folder=ROOT):
    """Call the file as make does, with no package in reach."""
    command = [sys.executable, "-I", "-S", str(ROOT / "workflow" / "check.py"), *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_no_package_is_needed(tmp_path):
    found = call("--downloads", str(tmp_path))
    assert found.stderr == "" and f"Optional, none in {tmp_path} yet: carbonglobe main" in found.stdout
    assert found.returncode == found.stdout.count("Problem: ") == 0 or "GB are free" in found.stdout
    listed = call("--only-downloads")
    assert listed.returncode == 0 and listed.stdout.startswith("Optional, none in data yet: ")


def test_missing_inputs_are_a_problem_and_found_ones_are_counted(tmp_path):
    found = call("--realdata", str(tmp_path))
    assert found.returncode == 1 and f"Problem: {preflight.inputs(str(tmp_path))}." in found.stdout
    (tmp_path / "fluxnet2015-monthly").mkdir()
    for name in ("a_MM.csv", "b_MM.csv.gz", "a_DD.csv"):
        (tmp_path / "fluxnet2015-monthly" / name).write_text("")
    assert preflight.inputs(str(tmp_path)) is None and len(preflight.tower_files(str(tmp_path))) == 2


@pytest.mark.parametrize("path", FIRST_READ, ids=lambda path: path.stem)
def test_an_old_python_can_read_what_looks_at_it(path):
    """Annotations such as ``str | None`` fail there unless they stay text."""
    tree = ast.parse(path.read_text(), feature_version=(3, 8))
    imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in imports if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names
    annotated = any(isinstance(node, ast.FunctionDef) for node in tree.body)
    assert "__future__" in names or not annotated


def test_an_old_python_is_a_problem_and_nothing_of_the_package_is_loaded(monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 8, 1))
    monkeypatch.setattr(sys, "version", "3.8.1 (main)")
    monkeypatch.setattr(sys, "argv", ["check.py"])
    monkeypatch.setitem(sys.modules, "dere.download.catalogue", None)
    assert preflight.main() == 1
    assert "Problem: Python is 3.8.1, 3.11 or later is needed" in capsys.readouterr().out


def test_a_full_disk_is_a_problem(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(preflight.shutil, "disk_usage", lambda folder: preflight.shutil._ntuple_diskusage(0, 0, 1.5e9))
    assert preflight.disk() == "1.5 GB are free here, about 6 GB are needed; free some"
    Path(".venv").mkdir()
    Path(".venv", ".runtime").write_text("")
    assert preflight.disk() == "1.5 GB are free here, about 3 GB are needed; free some"
