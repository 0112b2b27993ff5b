"""The digest of the code behind a script: every module that runs, and no other."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dere.backbones import names
from dere.methods import methods, stages
from dere.workflow import digest as digest_module
from dere.workflow import known_sources
from dere.workflow.digest import covered, digest, module, share_package
from loaded_workflow import code_of, parameters, paths_of, with_script

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "src"
SCRIPTS = sorted((ROOT / "workflow" / "scripts").glob("*.py"))
NETWORKS = {
    *(f"train_{name}" for name, stage in stages().items() if stage.per_backbone),
    *(f"{kind}_{name}" for name, method in methods().items() if method.per_backbone for kind in ("predict", "map")),
}
"""Rules of networks."""
FILES = {
    "dere/__init__.py": '__version__ = "1.0"\n',
    "dere/a/__init__.py": "",
    "dere/a/direct.py": "from dere.b import function\n",
    "dere/a/relative.py": "from . import sibling\nfrom ..c.deep import x\n",
    "dere/a/sibling.py": "",
    "dere/a/unused.py": "",
    "dere/b/__init__.py": "from dere.b.inner import function\n",
    "dere/b/inner.py": "import json\n\ndef function(x: int = 1):\n    import dere.lazy\n",
    "dere/c/__init__.py": "",
    "dere/c/deep.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from dere import typed\n",
    "dere/c/table.json": "{}",
    "dere/lazy.py": "",
    "dere/room/__init__.py": "",
    "dere/room/one.py": "import dere.lazy\nMETRIC: str = 'one'\n",
    "dere/room/two/__init__.py": "METRIC = 'two'\n",
    "dere/room/helper.py": "",
    "dere/score.py": 'from dere.rooms import declared\nMETRICS = declared("dere.room", "METRIC")\n',
    "dere/rooms.py": "",
    "dere/stating.py": "from dere import __version__\n",
    "dere/naming.py": "import dere\n\nNAME = dere.__version__\n",
    "dere/typed.py": "",
}


@pytest.fixture
def package(tmp_path):
    """Return a function that writes the package with some files changed, each time into a folder of its own."""

    def write(changed=None):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        for name, text in (FILES | (changed or {})).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return folder

    return write


def files_of(folder, text, *modules):
    script = folder / "script.py"
    script.write_text(text)
    return covered(script, folder, modules)


def digest_of(folder, text, *modules):
    return digest(files_of(folder, text, *modules), folder)


def test_imports_are_followed_through_packages_and_functions(package):
    found = files_of(package(), "from dere.a.direct import function\n")
    assert set(found) == {"dere.a", "dere.a.direct", "dere.b", "dere.b.inner", "dere.lazy", "script.py"}


def test_relative_imports_and_data_files_count_and_type_only_imports_do_not(package):
    found = files_of(package(), "import dere.a.relative\n")
    assert {"dere.a.sibling", "dere.c.deep", "dere.c/table.json"} <= set(found)
    assert not {"dere.typed", "dere.a.unused", "dere.b.inner"} & set(found)


@pytest.mark.parametrize(
    "text", ["import dere.score\n", 'from dere import rooms\nrooms.members("dere.room", "METRIC")\n']
)
def test_a_room_that_is_asked_for_counts_with_all_its_members(package, text):
    found = files_of(package(), text)
    assert {"dere.room", "dere.room.one", "dere.room.two", "dere.lazy"} <= set(found)
    assert "dere.room.helper" not in found


def test_modules_that_are_loaded_by_name_are_given(package):
    assert set(files_of(package(), "", "dere.room.one")) == {"script.py", "dere.room", "dere.room.one", "dere.lazy"}
    with pytest.raises(FileNotFoundError, match=r"dere\.room\.three is no module below .* correct the modules"):
        files_of(package(), "", "dere.room.three")


def test_a_missing_script_is_a_sentence(package):
    with pytest.raises(FileNotFoundError, match="does not exist; every rule needs a script"):
        covered(package() / "none.py", package())


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("dere/b/inner.py", "import json\n\n# why\ndef function(x=1) -> None:\n    '''Do.'''\n    import dere.lazy\n"),
        ("dere/a/unused.py", "X = 1\n"),
        ("dere/__init__.py", '__version__ = "2.0"\nfrom dere import typed\n'),
    ],
)
def test_the_digest_is_the_same_where_nothing_that_runs_changed(package, file, text):
    script = "from dere.a.direct import function\n"
    assert digest_of(package({file: text}), script) == digest_of(package(), script)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("dere/b/inner.py", FILES["dere/b/inner.py"] + "X = 1\n"),
        ("dere/a/relative.py", FILES["dere/a/relative.py"] + "import dere.typed\n"),
        ("dere/c/table.json", "[]"),
        ("dere/c/more.json", "{}"),
        ("dere/room/one.py", FILES["dere/room/one.py"].replace("'one'", "'first'")),
        ("dere/room/three.py", "METRIC = 'three'\n"),
    ],
)
def test_the_digest_changes_with_what_runs(package, file, text):
    script = "import dere.a.relative\nimport dere.b\nimport dere.score\n"
    assert digest_of(package({file: text}), script) != digest_of(package(), script)


def test_a_module_of_another_name_is_other_code(package):
    folder = package({"dere/moved.py": ""})
    assert digest_of(folder, "", "dere.moved") != digest_of(folder, "", "dere.lazy")


def test_the_script_counts_but_for_its_comments(package):
    folder = package()
    first, commented, other = (folder / name / "script.py" for name in ("a", "b", "c"))
    for path, text in ((first, "X = 1\n"), (commented, "X = 1  # one\n"), (other, "X = 2\n")):
        path.parent.mkdir()
        path.write_text(text)
    same, again, changed = (digest(covered(path, folder), folder) for path in (first, commented, other))
    assert same == again != changed and re.fullmatch("[0-9a-f]{16}", same)


@pytest.mark.parametrize("text", ["import dere.stating\n", "import dere.naming\n"])
def test_the_version_counts_where_a_module_names_it(package, text):
    other = {"dere/__init__.py": '__version__ = "2.0"\n'}
    assert digest_of(package(other), text) != digest_of(package(), text)
    with pytest.raises(ValueError, match=r"assigns no __version__; give it one"):
        digest_of(package({"dere/__init__.py": ""}), text)


def test_the_package_is_shared_once(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/other")
    share_package(Path("/src"))
    share_package(Path("/src"))
    assert __import__("os").environ["PYTHONPATH"] == "/src:/other"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_modules_equal_what_python_loads(script):
    """Oracle: the modules that Python itself loads for the script's import lines."""
    lines = [line for line in script.read_text().splitlines() if line.startswith("from dere")]
    program = "\n".join([*lines, "import sys", "print(*[name for name in sys.modules if name.startswith('dere.')])"])
    environment = {"PYTHONPATH": str(SOURCE), "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
    )
    assert set(loaded.stdout.split()) <= set(covered(script, SOURCE))


def test_rules_of_one_kind_do_not_depend_on_another():
    """What rules of methods share among themselves: `test_the_code_of_a_room_is_that_room_and_its_network`."""
    rules = with_script("tiny")
    code = {name: code_of(rule, "transformer" if name in NETWORKS else "none") for name, rule in rules.items()}
    trees = {"dere.methods.trees.search", "dere.methods.trees.fitting"}
    assert trees <= code["train_gbm"] and not trees & (code["train_pure"] | code["predict_climatology"])
    assert not {"dere.imputation.denoiser", "dere.world.photosynthesis"} & code["train_towers"]
    assert not {"dere.figures.gallery", "dere.evaluation.judge"} & (code["train_uncertain"] | code["harmonise"])
    assert "dere.run_config.root" not in set().union(*code.values())


def code_of_rules():
    """Return path to syntax tree of every module that a rule runs, for any backbone."""
    rules = with_script("tiny")
    pairs = [(name, backbone) for name in rules for backbone in (names() if name in NETWORKS else ["none"])]
    paths = {path for name, backbone in pairs for path in paths_of(rules[name], backbone)}
    paths |= {path for script in SCRIPTS for path in covered(script, SOURCE).values() if path.suffix == ".py"}
    return {path: ast.parse(path.read_text()) for path in paths}


def test_no_rule_reads_annotations_of_functions():
    """What the digest leaves out must not matter: no code of a rule asks for the annotations of a function."""
    readers = {"get_type_hints", "get_annotations", "signature", "__annotations__", "validate_call", "singledispatch"}
    for path, tree in code_of_rules().items():
        named = {getattr(node, "attr", getattr(node, "id", "")) for node in ast.walk(tree)}
        assert not readers & named, path


def test_no_rule_reads_docstrings():
    """The page that prints the meaning of every key gets the meanings as a parameter."""
    readers = {"__doc__", "getdoc", "description", "model_json_schema"}
    found = {
        path
        for path, tree in code_of_rules().items()
        if any(isinstance(node, ast.Attribute) and node.attr in readers for node in ast.walk(tree))
    }
    # its function for the models is called where rules are made; a job calls the one for leaves
    assert found == {SOURCE / "dere" / "run_config" / "describe.py"}
    leaves = parameters(with_script("tiny")["resolved_config"])["leaves"]
    assert all(leaves[name]["meaning"] for name in ("seeds", "world.seed", "stages.pure.epochs", "trees.settings"))


def test_a_file_is_read_once():
    path = SOURCE / "dere" / "variables.py"
    assert module(path, SOURCE) is module(path, SOURCE)


def test_what_sources_say_is_kept_by_their_text_alone(package, tmp_path, monkeypatch):
    """A kept file gives the digest that reading gives, for other texts too, and nothing where it is of other code."""
    source, file, ends, read = package(), tmp_path / "kept" / "sources.json", [], []
    script = source / "script.py"
    script.write_text("from dere.score import METRICS\nfrom dere.a import relative\n")
    monkeypatch.setattr(known_sources.atexit, "register", lambda write, *args: ends.append((write, args)))
    plain = digest_module.meaning
    monkeypatch.setattr(digest_module, "meaning", lambda tree: read.append(tree) or plain(tree))

    def of_a_new_process(kept):
        for function in (module, digest_module.data_files, digest_module.state_when_read):
            function.cache_clear()
        monkeypatch.setattr(known_sources, "_kept", {})
        monkeypatch.setattr(known_sources, "_used", {})
        read.clear()
        if kept:
            known_sources.keep(file)
        return digest(covered(script, source), source), len(read)

    found, all_of_them = of_a_new_process(kept=False)
    assert of_a_new_process(kept=True) == (found, all_of_them) and all_of_them > 5
    write, words = ends[-1]
    write(*words)
    assert of_a_new_process(kept=True) == (found, 0)
    # a member more of a room, and another text of a module
    (source / "dere" / "room" / "three.py").write_text("METRIC = 'three'\n")
    (source / "dere" / "a" / "sibling.py").write_text("X = 1\n")
    changed, all_of_them = of_a_new_process(kept=False)
    assert of_a_new_process(kept=True) == (changed, 2) and changed != found
    text = file.read_text()
    for other in (text.replace('"made_by": "', '"made_by": "0'), "{", "[]", text.replace("[[", "[")):
        file.write_text(other)
        assert of_a_new_process(kept=True) == (changed, all_of_them)
