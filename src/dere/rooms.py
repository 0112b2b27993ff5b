"""Rooms: packages in which every file or folder that declares something adds to what the project offers.

A room's member says what it is in a module-level name (``METHODS``, ``BACKBONE``, ``METRIC``, ``EXCHANGE``,
``SOURCES``, ``COMMAND``). A file without that name is not loaded, so what only serves its neighbours may lie beside
them. Adding a member is adding a file; nothing else lists them. A module that lies elsewhere becomes a member by `add`
(``dere.plugins``).
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

_ADDED: dict[tuple[str, str], list[str]] = {}
"""Loaded modules that lie elsewhere, by room and marker."""
_FORGET: list[Callable[[], None]] = []


def remembered(function: Function) -> Function:
    """Keep what a function returns, as ``functools.cache`` does, until a member comes or goes while Python runs."""
    kept: Any = cache(function)
    _FORGET.append(kept.cache_clear)
    return kept


@remembered
def members(package: str, name: str) -> tuple[str, ...]:
    """Return the modules of ``package`` that declare ``name``, sorted, then those from elsewhere; none is loaded.

    Parameters
    ----------
    package
        Dotted name of the room, for example ``dere.methods``.
    name
        Module-level name that makes a file or folder a member.
    """
    spec = find_spec(package)
    folders = [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec else []
    own = sorted({stem for folder in folders for stem in declaring(folder, name)})
    return (*(f"{package}.{stem}" for stem in own), *_ADDED.get((package, name), ()))


def declaring(folder: Path, name: str) -> list[str]:
    """Return the names of the modules in a folder, files and packages, that declare ``name``, sorted."""
    files = {path.stem: path for path in folder.glob("*.py") if path.stem != "__init__"}
    files |= {path.parent.name: path for path in folder.glob("*/__init__.py")}
    return sorted(stem for stem, path in files.items() if declares(path, name))


def declares(path: Path, name: str) -> bool:
    """Tell whether a file assigns ``name`` at its top level; one that is no Python looks as if it did, or not."""
    text = path.read_text(encoding="utf-8")
    # most files are told apart by this alone, which a docstring may pass too
    if re.search(rf"^{name}\b\s*[:=]", text, re.M) is None:
        return False
    try:
        return name in assigned(ast.parse(text).body)
    except SyntaxError:
        return True


def assigned(statements: Iterable[ast.stmt]) -> set[str]:
    """Return the names that some statements assign, those inside them apart."""
    found: set[str] = set()
    for statement in statements:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets = [statement.target]
        found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def holds(module: str, name: str) -> bool:
    """Tell whether a module has a name; it is read as text where it is not loaded.

    What cannot be told from the text (a name from ``import *``, a compiled module) counts as there.
    """
    if not name.isidentifier():
        return False
    if module in sys.modules:
        return hasattr(sys.modules[module], name)
    try:
        spec = find_spec(module)
    except (ImportError, ValueError):
        return False
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        return spec is not None
    found: set[str] = set()
    for node in ast.walk(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        else:
            found |= assigned([node] if isinstance(node, ast.stmt) else [])
    return bool({name, "*"} & found)


def declared(package: str, name: str) -> dict[str, Any]:
    """Return what each member of a room declares, by module, in the order of `members`."""
    return {module: getattr(import_module(module), name) for module in members(package, name)}


def add(package: str, module: str, *names: str) -> None:
    """Let a loaded module that lies elsewhere be a member of ``package`` for each of ``names`` that it declares."""
    for name in names:
        _ADDED.setdefault((package, name), []).append(module)
    forget()


def remove(module: str) -> None:
    """Take back `add`."""
    for group in _ADDED.values():
        group[:] = [other for other in group if other != module]
    forget()


def forget() -> None:
    """Look up again what follows from the members."""
    for clear in _FORGET:
        clear()
