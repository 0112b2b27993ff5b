"""Which source files a script depends on: itself and every ``dere`` module it imports, directly or not.

Snakemake does not look inside imports, so each rule names these files as input: editing a module then reruns exactly
the rules whose code it is.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = "dere"


def code_files(script: Path, source: Path) -> list[str]:
    """Return the script and the transitive closure of its package imports, as sorted paths.

    Importing ``dere.a.b`` also runs ``dere/__init__.py`` and ``dere/a/__init__.py``, so they are part of it. Files
    that lie beside a module and are not Python (tables, polygons) count as its data and are part of it too. Imports
    under ``if TYPE_CHECKING`` never run and are left out.

    Parameters
    ----------
    script
        File of the rule.
    source
        Folder that holds the package folder.

    Raises
    ------
    FileNotFoundError
        When the script does not exist.
    """
    if not script.exists():
        raise FileNotFoundError(f"{script} does not exist; every rule needs a script of its own name")
    found: set[Path] = {script}
    waiting = list(imported_files(script, source))
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting.extend(imported_files(module, source))
    data = {beside for module in found - {script} for beside in data_files(module.parent)}
    return sorted(str(path) for path in found | data)


@cache
def data_files(folder: Path) -> tuple[Path, ...]:
    """Return the files of a package folder that are not Python."""
    return tuple(path for path in sorted(folder.iterdir()) if path.is_file() and path.suffix not in {".py", ".pyc"})


@cache
def imported_files(path: Path, source: Path) -> tuple[Path, ...]:
    """Return the package files that importing ``path`` loads directly."""
    here = path.relative_to(source).with_suffix("").parts if path.is_relative_to(source) else ()
    is_package = path.name == "__init__.py"
    base = here[:-1] if here else ()
    names: set[str] = set()
    for node in running_nodes(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            prefix = base[: len(base) - node.level + 1] if node.level else ()
            stem = ".".join((*prefix, *([node.module] if node.module else [])))
            names.add(stem)
            names.update(f"{stem}.{alias.name}" for alias in node.names)
    files = [file for name in sorted(names) for file in module_files(name, source)]
    return tuple(dict.fromkeys(file for file in files if not (is_package and file == path)))


def running_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk a syntax tree without the bodies of ``if TYPE_CHECKING``."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from (inner for part in node.orelse for inner in (part, *running_nodes(part)))
        else:
            yield node
            yield from running_nodes(node)


def module_files(name: str, source: Path) -> list[Path]:
    """Return the files that importing the dotted ``name`` runs: each package's ``__init__`` and the module.

    A last part that is no module (a function, a class) is ignored; modules of other packages give nothing.
    """
    parts = name.split(".")
    if parts[0] != PACKAGE:
        return []
    files: list[Path] = []
    for length in range(1, len(parts) + 1):
        stem = source.joinpath(*parts[:length])
        for candidate in (stem / "__init__.py", stem.with_suffix(".py")):
            if candidate.exists():
                files.append(candidate)
                break
    return files


def share_package(source: Path) -> None:
    """Let rule scripts, which run in processes of their own, read the package from this checkout."""
    paths = [str(source), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
