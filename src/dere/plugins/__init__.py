"""Methods and sequence networks that lie outside the package: files, folders and modules named under ``plugins``.

A file or folder is loaded as the member of a room that it would be inside the package: ``mine/ridge.py`` with
``METHODS`` is ``dere.methods.ridge``. So the same text works at both places, names such as ``dere.methods.ridge:fit``
in it too. A module that can be imported keeps its name.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from dere import backbones, methods, rooms
from dere.plugins.checks import require_functions, require_sound
from dere.plugins.reading import Plugin, broken, is_path, read, require_free

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
        path = Path(folder or "", text).absolute() if is_path(text) else None
        if text not in _LOADED:
            _LOADED[text] = read(text, path)
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
        As `load`, and when a plug-in declares a method, stage or network that exists, or a function that does not; none
        of them is kept then.
    """
    new = [text for text in texts if text not in _LOADED]
    try:
        load(texts, folder)
        _require_unique()
        for text in new:
            require_functions(sys.modules[_LOADED[text].module])
    except Exception as error:
        for text in new:
            unload(text)
        if not isinstance(error, ValueError):
            raise broken(", ".join(new), error) from error
        message = str(error)
        raise ValueError(message if message.startswith("plugins: ") else f"plugins: {message}") from None


def register(room: str, name: str, **declarations: Any) -> None:
    """Let declarations made while Python runs be a member of a room; one that was registered before is replaced.

    One that is refused leaves what was registered before.

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
        When a member of that name exists, or one of the methods or stages, or something else is declared.
    """
    require_sound(name, name, declarations)
    module = f"{room}.{name}"
    text = f"registration of {module}"
    before = vars(sys.modules[module]) if text in _LOADED else {}
    unload(text)
    require_free(name, module)
    try:
        _put(text, room, module, declarations)
        _require_unique()
        require_functions(sys.modules[module])
    except Exception:
        unload(text)
        if before:
            _put(text, room, module, {each: before[each] for each in declarations})
        raise


def _put(text: str, room: str, module: str, declarations: Mapping[str, Any]) -> None:
    found = ModuleType(module)
    vars(found).update(declarations)
    sys.modules[module] = found
    rooms.add(room, module, *declarations)
    _LOADED[text] = Plugin(module, {})


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
