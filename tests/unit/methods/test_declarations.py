"""Declarations of methods are light: they are read with every configuration and load nothing that trains."""

import ast
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from dere.methods import methods, rooms, stages
from dere.rooms import members

SOURCE = Path(__file__).parents[3] / "src"
ROOMS = sorted(members("dere.methods", "METHODS"))
HEAVY = ("torch", "lightgbm", "xarray", "pandas", "numpy", "scipy", "matplotlib", "sklearn")
ALLOWED = ("pydantic", "dere.config.", "dere.methods.base", "dere.methods.single_settings")


def run(program):
    """Return the words that a program prints in a fresh process."""
    environment = {"PYTHONPATH": str(SOURCE), "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False
    )
    assert found.returncode == 0, found.stderr
    return found.stdout.split()


def imports(path):
    """Return the modules that a file imports anywhere, those of the standard library apart."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module)
    return {name for name in found if name.partition(".")[0] not in {*sys.stdlib_module_names, "__future__"}}


def test_reading_the_configuration_loads_settings_and_declarations_alone():
    program = """
import sys
from dere.run_config.root import normalise
assert normalise({})["methods"]
print(*sys.modules)
"""
    loaded = set(run(program))
    assert not loaded & set(HEAVY)
    own = {name for name in loaded if name.startswith("dere.methods.")}
    assert set(ROOMS) <= own
    assert {name for name in own - set(ROOMS) if not name.endswith("settings")} == {"dere.methods.base"}


@pytest.mark.parametrize("room", ROOMS)
def test_a_declaration_imports_settings_alone(room):
    declaration = Path(find_spec(room).origin)
    for path in (declaration, *declaration.parent.glob("settings.py")):
        own = (*ALLOWED, f"{room}.settings")
        assert not {name for name in imports(path) if not name.startswith(own)}, path


def test_settings_and_the_base_of_declarations_import_settings_alone():
    for name in ("base", "single_settings"):
        found = imports(SOURCE / "dere" / "methods" / f"{name}.py")
        assert not {module for module in found if not module.startswith(("pydantic", "dere.config."))}, name


def test_a_room_is_read_without_the_others():
    """A job reads the room that its rule names, so that an edit of another room reruns nothing of it."""
    program = f"""
import sys
from dere.methods.base import found_in
for room in {ROOMS}:
    found_in(room, "METHODS", next(iter(__import__(room, fromlist=["METHODS"]).METHODS)).name)
    others = [name for name in {ROOMS} if name != room and name in sys.modules]
    print(*others)
    for name in [name for name in sys.modules if name.startswith("dere.methods")]:
        del sys.modules[name]
"""
    assert run(program) == []


def test_what_fits_and_predicts_is_where_the_declarations_say():
    """Found in the text of the module, so that nothing is loaded here."""
    of_methods, of_stages = rooms()
    named = [(of_stages[stage.name], stage.fit) for stage in stages().values()]
    named += [(of_methods[method.name], method.predict or method.combine) for method in methods().values()]
    for room, target in named:
        module, _, function = target.partition(":")
        assert module.startswith(f"{room}.")
        path = SOURCE / Path(*module.split(".")).with_suffix(".py")
        defined = {node.name for node in ast.parse(path.read_text(encoding="utf-8")).body if hasattr(node, "name")}
        assert function in defined, target
