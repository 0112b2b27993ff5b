"""The package as pip sees it: what it needs, what is in it, and that it works where nothing else is."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import dere

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "src" / "dere"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
BASE = [Requirement(text) for text in PROJECT["dependencies"]]
EXTRAS = {name: [Requirement(text) for text in texts] for name, texts in PROJECT["optional-dependencies"].items()}
LOCK = {
    canonicalize_name(name): version
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), re.M)
}
ONLY_WITH = {
    "dere.explorer": "figures",
    "dere.figures": "figures",
    "dere.opening": "figures",
    "dere.workflow.configuration": "workflow",
    "dere.workflow.launch": "workflow",
    "dere.workflow.messages": "workflow",
    "dere.workflow.snakemake": "workflow",
    "dere.world": "world",
}
"""Modules that need an extra, with all below them."""


def names(requirements):
    return {canonicalize_name(requirement.name) for requirement in requirements}


@pytest.mark.parametrize("requirement", [*BASE, *(r for group in EXTRAS.values() for r in group)], ids=str)
def test_the_locked_version_lies_in_the_range(requirement):
    if requirement.name == PROJECT["name"]:
        assert requirement.extras <= set(EXTRAS)
    else:
        assert requirement.specifier and LOCK[canonicalize_name(requirement.name)] in requirement.specifier


def third_party():
    """Yield (module, distribution) for every import of a package that is not Python's own."""
    known = packages_distributions()
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                found = [node.module]
            for name in {name.partition(".")[0] for name in found} - {*sys.stdlib_module_names, "dere"}:
                yield module, canonicalize_name(known[name][0])


def test_every_import_is_covered_by_a_dependency_and_every_dependency_is_used():
    used = set(third_party())
    for module, distribution in used:
        extra = next((e for m, e in ONLY_WITH.items() if f"{module}.".startswith(f"{m}.")), None)
        assert distribution in names(BASE) | names(EXTRAS.get(extra, ())), f"{module} imports {distribution}"
    # asked for by name, not by an import: the engine of xlsx, the file format of datasets, logger and report
    by_name = {"openpyxl", "netcdf4", "snakemake-logger-plugin-rich", "pygments", "dere"}
    declared = names(BASE) | set().union(*map(names, EXTRAS.values()))
    assert declared - by_name <= {distribution for _, distribution in used}


def test_one_version_is_stated_everywhere(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        built = Parser().parsestr(archive.read(metadata).decode())
    assert PROJECT["dynamic"] == ["version"] and built["Version"] == dere.__version__
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == dere.__version__


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy so that the repository stays as it is."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(PACKAGE, folder / "src" / "dere", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", "out", "."]
    made = subprocess.run(build, cwd=folder, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr[-3000:]
    (path,) = (folder / "out").glob("*.whl")
    return path


def test_the_wheel_holds_every_file_of_the_package(wheel):
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if name.startswith("dere/")}
    files = (path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    there = {path.relative_to(PACKAGE.parent).as_posix() for path in files}
    assert found == there and {"dere/py.typed", "dere/world/land.json"} <= found


HIDING = """
import json, sys
from importlib.abc import MetaPathFinder

class Hiding(MetaPathFinder):
    names = set(json.loads(sys.argv[1]))
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"{name} is hidden", name=name)

sys.meta_path.insert(0, Hiding())
exec(compile(sys.argv[2], "lines", "exec"))
print(json.dumps([dere.__file__, sorted(judged.skill["flux"].unique()), len(predicted["site"]), str(model)]))
"""


def test_ten_lines_train_predict_and_judge_where_only_the_dependencies_are(wheel, invented, tmp_path):
    """The lines are those of docs/library.md; the extras and this checkout are out of sight."""
    (lines,) = re.findall(r"```python\n(import dere\n.*?)```", (ROOT / "docs" / "library.md").read_text(), re.S)
    assert len(lines.splitlines()) <= 10 and '"results/demo"' in lines
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    extras = set().union(*map(names, EXTRAS.values())) - {"dere"}
    hidden = [name for name, owners in packages_distributions().items() if canonicalize_name(owners[0]) in extras]
    assert {"snakemake", "matplotlib", "cartopy", "pyrealm", "shapely"} <= set(hidden)
    program = lines.replace("results/demo", str(invented))
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", HIDING, json.dumps(hidden), program],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    file, fluxes, sites, model = json.loads(done.stdout.splitlines()[-1])
    assert Path(file) == tmp_path / "dere" / "__init__.py"
    assert fluxes == ["gpp", "nee", "reco"] and sites == 10 and "baseline/transformer" in model
