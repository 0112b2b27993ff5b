"""Rooms: packages in which every file or folder that declares something adds to what the project offers.

A room's member says what it is in a module-level name (``METHODS``, ``BACKBONE``, ``METRIC``, ``EXCHANGE``,
``SOURCES``). A file without that name is not loaded, so what only serves its neighbours may lie beside them. Adding a
member is adding a file; nothing else lists them.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any


@cache
def members(package: str, name: str) -> tuple[str, ...]:
    """Return the modules of ``package`` that declare ``name``, sorted; none of them is loaded.

    Parameters
    ----------
    package
        Dotted name of the room, for example ``dere.methods``.
    name
        Module-level name that makes a file or folder a member.
    """
    spec = find_spec(package)
    folders = [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec else []
    return tuple(
        f"{package}.{stem}" for stem in sorted({stem for folder in folders for stem in declaring(folder, name)})
    )


def declaring(folder: Path, name: str) -> list[str]:
    """Return the names of the modules in a folder, files and packages, that declare ``name``, sorted."""
    files = {path.stem: path for path in folder.glob("*.py") if path.stem != "__init__"}
    files |= {path.parent.name: path for path in folder.glob("*/__init__.py")}
    return sorted(stem for stem, path in files.items() if declares(path, name))


def declares(path: Path, name: str) -> bool:
    """Tell whether a file assigns ``name`` at its top level."""
    return re.search(rf"^{name}\b\s*[:=]", path.read_text(encoding="utf-8"), re.M) is not None


def declared(package: str, name: str) -> dict[str, Any]:
    """Return what each member of a room declares, by module, in the order of the modules' names."""
    return {module: getattr(import_module(module), name) for module in members(package, name)}
