"""From the text that names a plug-in to a loaded member of a room."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import dere
from dere import backbones, methods, rooms
from dere.plugins.checks import require_sound
from dere.regular_file import files_below

ROOMS = {"METHODS": methods.__name__, "BACKBONE": backbones.__name__}
"""What a plug-in declares, and the room that it becomes a member of."""
ALSO = {"METHODS": ("STAGES",)}
"""What may stand beside it."""


@dataclass(frozen=True)
class Plugin:
    """A plug-in that is loaded.

    Parameters
    ----------
    module
        Name that it is loaded under.
    files
        Its Python files by dotted name: the code that a rule which uses it depends on.
    path
        The file or folder that it lies in; None = a module.
    content
        Hash of its files when it was loaded.
    """

    module: str
    files: dict[str, Path]
    path: Path | None = None
    content: str = ""

    def now(self) -> str:
        """Return the hash of its files as they lie there now."""
        files = self.files if self.path is None else _files(self.path, self.module)
        found = sha256()
        for name, path in files.items():
            found.update(repr((name, path.read_bytes() if path.is_file() else None)).encode())
        return found.hexdigest()


def read(text: str, path: Path | None) -> Plugin:
    """Load a plug-in; of one that is refused no module stays, so that its next load begins anew.

    Parameters
    ----------
    text, path
        As the configuration names it, and where that lies; None = a module.

    Raises
    ------
    ValueError
        When it does not exist, declares nothing or something else, cannot be loaded, or has the name of a member.
    """
    before = set(sys.modules)
    try:
        return _of_module(text) if path is None else _of_path(text, path)
    except ValueError:
        own = [text.partition(".")[0]] if path is None else [f"{room}.{path.stem}" for room in ROOMS.values()]
        for name in set(sys.modules) - before:
            if any(f"{name}.".startswith(f"{package}.") for package in own if package != dere.__name__):
                del sys.modules[name]
        raise


def is_path(text: str) -> bool:
    """Tell a path from the dotted name of a module."""
    return text.endswith(".py") or "/" in text or os.sep in text


def _of_path(text: str, path: Path) -> Plugin:
    file = path / "__init__.py" if path.is_dir() else path
    if not file.is_file():
        raise ValueError(
            f"plugins: {text} is not there ({file}), but a Python file, or a folder with an __init__.py, is "
            "expected; correct the path, which begins at the working directory"
        )
    marker = _marker(text, [name for name in ROOMS if rooms.declares(file, name)])
    if not path.stem.isidentifier():
        raise ValueError(
            f"plugins: {text} is called {path.stem}, but letters, digits and _ are expected, since it is loaded as a "
            "module; rename it"
        )
    module = f"{ROOMS[marker]}.{path.stem}"
    require_free(f"plugins: {text}", module)
    spec = spec_from_file_location(module, file, submodule_search_locations=[str(path)] if path.is_dir() else None)
    assert spec is not None and spec.loader is not None
    found = module_from_spec(spec)
    sys.modules[module] = found
    try:
        spec.loader.exec_module(found)
    except (Exception, SystemExit) as error:
        raise broken(text, error) from error
    plugin = _member(text, marker, found, _files(path, module), path)
    setattr(sys.modules[ROOMS[marker]], path.stem, found)
    return plugin


def _of_module(text: str) -> Plugin:
    try:
        found = import_module(text)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{text}.".startswith(f"{error.name}."):
            raise broken(text, error) from error
        raise ValueError(
            f"plugins: Python finds no module {text}, but a module that it can import, or a path (with a slash, or "
            ".py at its end), is expected; install it, set PYTHONPATH, or correct the name"
        ) from None
    except (Exception, SystemExit) as error:
        raise broken(text, error) from error
    marker = _marker(text, [name for name in ROOMS if hasattr(found, name)])
    name = text.rpartition(".")[2]
    if text.startswith(f"{ROOMS[marker]}."):
        raise ValueError(f"plugins: {text} comes with the package and is known without being named; leave it out")
    known = {module.rpartition(".")[2] for module in rooms.members(ROOMS[marker], marker)}
    if name in known:
        raise ValueError(f"plugins: {text} has the name of a member of {ROOMS[marker]}, {name}; rename the module")
    # of a package, all of it: its modules name and import each other
    parent = text.rpartition(".")[0]
    spec = find_spec(parent or text)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    own = {name: path for folder in folders for name, path in _below(Path(folder), parent or text).items()}
    if not own and found.__file__:
        own = {text: Path(found.__file__)}
    return _member(text, marker, found, own)


def _member(text: str, marker: str, found: ModuleType, own: dict[str, Path], path: Path | None = None) -> Plugin:
    names = [marker, *(name for name in ALSO.get(marker, ()) if hasattr(found, name))]
    require_sound(f"plugins: {text}", found.__name__.rpartition(".")[2], {each: vars(found)[each] for each in names})
    rooms.add(ROOMS[marker], found.__name__, *names)
    plugin = Plugin(found.__name__, own, path)
    return replace(plugin, content=plugin.now())


def _marker(text: str, markers: Sequence[str]) -> str:
    """Return the one thing that a plug-in declares."""
    if len(markers) == 1:
        return markers[0]
    found = "both" if markers else "neither"
    raise ValueError(
        f"plugins: {text} declares {found} of {' and '.join(ROOMS)}, but one of them is expected at its top level; "
        f"{'divide it into two files' if markers else 'declare a method or a sequence network'} (docs/extending.md)"
    )


def require_free(what: str, module: str) -> None:
    """Check that there is no module of a name; ``what`` would be loaded under it.

    Raises
    ------
    ValueError
        When there is one.
    """
    if module in sys.modules or find_spec(module) is not None:
        raise ValueError(f"{what} would be loaded as {module}, but there is a module of that name; rename it")


def _files(path: Path, module: str) -> dict[str, Path]:
    """Return the Python files of a plug-in that is a file or folder by dotted name."""
    return _below(path, module) if path.is_dir() else {module: path}


def _below(folder: Path, package: str) -> dict[str, Path]:
    """Return the Python files of a package by dotted name."""
    found = {}
    for path in files_below(folder):
        if path.suffix != ".py" or not path.is_file():
            continue
        parts = path.relative_to(folder).with_suffix("").parts
        found[".".join((package, *(parts[:-1] if parts[-1] == "__init__" else parts)))] = path
    return found


def broken(text: str, error: BaseException) -> ValueError:
    """Return the sentence about a plug-in that does not run to its end."""
    return ValueError(
        f"plugins: {text} cannot be loaded ({type(error).__name__}: {' '.join(str(error).split())}), but a module that "
        "runs to its end is expected; correct it"
    )
