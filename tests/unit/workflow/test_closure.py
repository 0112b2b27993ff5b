"""The code behind a script: every module that runs, and no other."""

from pathlib import Path

import pytest

from dere.workflow.closure import code_files, share_package

ROOT = Path(__file__).parents[3]
SCRIPTS = sorted((ROOT / "workflow" / "scripts").glob("*.py"))


@pytest.fixture
def package(tmp_path):
    """A package with direct, relative, lazy, type-only and unused imports, and a data file."""
    files = {
        "dere/__init__.py": "",
        "dere/a/__init__.py": "",
        "dere/a/direct.py": "from dere.b import function\n",
        "dere/a/relative.py": "from . import sibling\nfrom ..c.deep import x\n",
        "dere/a/sibling.py": "",
        "dere/a/unused.py": "",
        "dere/b/__init__.py": "from dere.b.inner import function\n",
        "dere/b/inner.py": "import json\n\ndef function():\n    import dere.lazy\n",
        "dere/c/__init__.py": "",
        "dere/c/deep.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from dere import typed\n",
        "dere/c/table.json": "{}",
        "dere/lazy.py": "",
        "dere/typed.py": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def closure(package, text):
    script = package / "script.py"
    script.write_text(text)
    return [str(Path(path).relative_to(package)) for path in code_files(script, package)]


def test_imports_are_followed_through_packages_and_functions(package):
    found = closure(package, "from dere.a.direct import function\n")
    assert found == [
        "dere/__init__.py",
        "dere/a/__init__.py",
        "dere/a/direct.py",
        "dere/b/__init__.py",
        "dere/b/inner.py",
        "dere/lazy.py",
        "script.py",
    ]


def test_relative_imports_and_data_files_count_and_type_only_imports_do_not(package):
    found = closure(package, "import dere.a.relative\n")
    assert {"dere/a/sibling.py", "dere/c/deep.py", "dere/c/table.json"} <= set(found)
    assert not {"dere/typed.py", "dere/a/unused.py", "dere/b/inner.py"} & set(found)


def test_a_missing_script_is_a_sentence(package):
    with pytest.raises(FileNotFoundError, match="does not exist; every rule needs a script"):
        code_files(package / "none.py", package)


def test_the_package_is_shared_once(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/other")
    share_package(Path("/src"))
    share_package(Path("/src"))
    assert __import__("os").environ["PYTHONPATH"] == "/src:/other"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_closure_equals_what_python_loads(script):
    """Oracle: the modules that Python itself loads for the script's import lines."""
    import subprocess
    import sys

    lines = [line for line in script.read_text().splitlines() if line.startswith("from dere")]
    program = "\n".join(
        [*lines, "import sys", "print(*[m.__file__ for n, m in sys.modules.items() if n.split('.')[0] == 'dere'])"]
    )
    environment = {"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
    )
    found = {path for path in code_files(script, ROOT / "src") if path.endswith(".py")} - {str(script)}
    assert set(loaded.stdout.split()) <= found


def test_rules_of_one_method_do_not_depend_on_another():
    def modules(name):
        return {Path(path).stem for path in code_files(ROOT / "workflow" / "scripts" / f"{name}.py", ROOT / "src")}

    assert "trees" in modules("predict_gbm") and "trees" not in modules("train_pure") | modules("predict_climatology")
    assert "diffusion" not in modules("train_towers") and "photosynthesis" not in modules("train_towers")
    assert not {"gallery", "judge"} & (modules("train_uncertain") | modules("harmonise"))
    assert "root" not in modules("train_pure") | modules("build_world") | modules("evaluate")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_final_files_are_not_filled_again_by_those_who_read_them(script):
    filling = {"beyond_record", "co2", "gaps", "satellites"}
    found = {Path(path) for path in code_files(script, ROOT / "src")}
    harmonised = {path.stem for path in found if path.parent.name == "harmonise"}
    assert bool(filling & harmonised) == (script.stem == "harmonise")
