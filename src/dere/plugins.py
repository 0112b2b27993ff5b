"""Methods and sequence networks that lie outside the package: files, folders and modules named under ``plugins``.

A file or folder is loaded as the member of a room that it would be inside the package: ``mine/ridge.py`` with
``METHODS`` is ``dere.methods.ridge``. So the same text works at both places, names such as ``dere.methods.ridge:fit``
in it too. A module that can be imported keeps its name.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from dere import backbones, methods, rooms

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


_LOADED: dict[str, Plugin] = {}
"""Plug-ins by text."""


def load(texts: Iterable[str], folder: Path | None = None) -> None:
    """Make plug-ins members of their rooms; those that are loaded already stay as they are.

    Parameters
    ----------
    texts
        A file (``mine/ridge.py``), a folder with an ``__init__.py`` (``mine/ridge``; a name without a slash is a
        module), or the dotted name of a module that Python finds.
    folder
        Where paths begin; None = the working directory.

    Raises
    ------
    ValueError
        When one does not exist, declares nothing, cannot be loaded, has the name of another member, or has changed
        since it was loaded.
    """
    for text in texts:
        path = Path(folder or "", text).absolute() if _is_path(text) else None
        if text not in _LOADED:
            _LOADED[text] = _of_module(text) if path is None else _of_path(text, path)
        elif _LOADED[text].path != path:
            raise ValueError(
                f"plugins: {text} is {path} here, but this process has loaded {_LOADED[text].path} under that name; "
                "start another process for it"
            )
        elif _LOADED[text].content != _LOADED[text].now():
            raise ValueError(
                f"plugins: {text} has changed since it was loaded, but this process has its old code; start another "
                "process, or restart the kernel"
            )


def load_checked(texts: Sequence[str], folder: Path | None = None) -> None:
    """Load plug-ins as `load` does and read every declaration, so that two of one name are seen.

    All rooms are loaded, which a job does not do.

    Raises
    ------
    ValueError
        As `load`, and when a plug-in declares a method, stage or network that exists; none of them is kept then.
    """
    new = [text for text in texts if text not in _LOADED]
    try:
        load(texts, folder)
        _require_unique()
    except ValueError as error:
        for text in new:
            unload(text)
        message = str(error)
        raise ValueError(message if message.startswith("plugins: ") else f"plugins: {message}") from None


def register(room: str, name: str, **declarations: Any) -> None:
    """Let declarations made while Python runs be a member of a room; one that was registered before is replaced.

    Parameters
    ----------
    room
        ``dere.methods`` or ``dere.backbones``.
    name
        Name of the member.
    declarations
        ``METHODS`` and ``STAGES``, or ``BACKBONE``.

    Raises
    ------
    ValueError
        When a member of that name exists, or one of the methods or stages.
    """
    module = f"{room}.{name}"
    text = f"registration of {module}"
    unload(text)
    _require_free(name, module)
    found = ModuleType(module)
    vars(found).update(declarations)
    sys.modules[module] = found
    rooms.add(room, module, *declarations)
    _LOADED[text] = Plugin(module, {})
    try:
        _require_unique()
    except ValueError:
        unload(text)
        raise


def unload(text: str) -> None:
    """Take a plug-in back, if it is loaded; what was made of it stays."""
    plugin = _LOADED.pop(text, None)
    if plugin is not None:
        rooms.remove(plugin.module)
        for name in {plugin.module, *plugin.files}:
            sys.modules.pop(name, None)


def used(texts: Sequence[str], modules: Iterable[str]) -> list[str]:
    """Return those of ``texts`` that are loaded as one of ``modules``."""
    wanted = set(modules)
    return [text for text in texts if text in _LOADED and _LOADED[text].module in wanted]


def modules() -> set[str]:
    """Return the modules that were brought in, by plug-ins and registrations."""
    return {plugin.module for plugin in _LOADED.values()}


def files() -> list[dict[str, Path]]:
    """Return the Python files of each plug-in by dotted name."""
    return [plugin.files for plugin in _LOADED.values()]


def _require_unique() -> None:
    methods.methods()
    methods.stages()
    backbones.names()


def _is_path(text: str) -> bool:
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
    _require_free(f"plugins: {text}", module)
    spec = spec_from_file_location(module, file, submodule_search_locations=[str(path)] if path.is_dir() else None)
    assert spec is not None and spec.loader is not None
    found = module_from_spec(spec)
    sys.modules[module] = found
    try:
        spec.loader.exec_module(found)
    except Exception as error:
        del sys.modules[module]
        raise _broken(text, error) from error
    setattr(sys.modules[ROOMS[marker]], path.stem, found)
    return _member(marker, found, _files(path, module), path)


def _of_module(text: str) -> Plugin:
    try:
        found = import_module(text)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{text}.".startswith(f"{error.name}."):
            raise _broken(text, error) from error
        raise ValueError(
            f"plugins: Python finds no module {text}, but a module that it can import, or a path (with a slash, or "
            ".py at its end), is expected; install it, set PYTHONPATH, or correct the name"
        ) from None
    except Exception as error:
        raise _broken(text, error) from error
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
    return _member(marker, found, own)


def _member(marker: str, found: ModuleType, own: dict[str, Path], path: Path | None = None) -> Plugin:
    also = [name for name in ALSO.get(marker, ()) if hasattr(found, name)]
    rooms.add(ROOMS[marker], found.__name__, marker, *also)
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


def _require_free(what: str, module: str) -> None:
    if module in sys.modules or find_spec(module) is not None:
        raise ValueError(f"{what} would be loaded as {module}, but there is a module of that name; rename it")


def _files(path: Path, module: str) -> dict[str, Path]:
    """Return the Python files of a plug-in that is a file or folder by dotted name."""
    return _below(path, module) if path.is_dir() else {module: path}


def _below(folder: Path, package: str) -> dict[str, Path]:
    """Return the Python files of a package by dotted name."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        found[".".join((package, *(parts[:-1] if parts[-1] == "__init__" else parts)))] = path
    return found


def _broken(text: str, error: Exception) -> ValueError:
    return ValueError(
        f"plugins: {text} cannot be loaded ({type(error).__name__}: {' '.join(str(error).split())}), but a module that "
        "runs to its end is expected; correct it"
    )
