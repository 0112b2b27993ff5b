"""The digest of the code behind a rule: of its script and every ``dere`` module that it imports, directly or not.

Snakemake does not look inside imports, so each rule has this digest as a parameter: an edit of a module reruns exactly
the rules whose code it is. What only people read does not count (`dere.workflow.meaning`), so that a comment, a
docstring, a type hint or a formatter reruns nothing; folders and dates of files do not count either.

``dere/__init__.py`` is not part of any code: names that it offers to users of the package are looked up when they are
asked for, and no module below it asks for any but the version, which counts where a module names it.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from dere.rooms import declaring
from dere.workflow.known_sources import Said, said
from dere.workflow.meaning import meaning, only_for_types
from dere.workflow.plan import state_of

PACKAGE = "dere"
VERSION = f"{PACKAGE}.__version__"
ROOM_CALLS = {"members", "declared"}
"""Functions of `dere.rooms`; a call with constant texts counts as an import of all members of that room."""


def digest(files: Mapping[str, Path], source: Path) -> str:
    """Return the digest of a rule's code, 16 hexadecimal digits.

    Parameters
    ----------
    files
        The code's files by dotted name, from `covered`.
    source
        Folder that holds the package folder.

    Raises
    ------
    ValueError
        When a module names the version and the package states none.
    """
    lines = [f"{name} {mark(path, source)}" for name, path in files.items()]
    if any(VERSION in read.imports for read in _modules(files, source)):
        lines.append(f"{VERSION} {_version(source)}")
    return sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]


def mark(path: Path, source: Path) -> str:
    """Return the digest of what counts of a file: what a source file does, the bytes of any other."""
    return module(path, source).digest if path.suffix == ".py" else _content_digest(path)


def packages(files: Mapping[str, Path], source: Path) -> set[str]:
    """Return the packages outside this one that a rule's code imports, by the name they are imported as."""
    return {name for read in _modules(files, source) for name in read.packages}


def _modules(files: Mapping[str, Path], source: Path) -> list[Module]:
    return [module(path, source) for path in files.values() if path.suffix == ".py"]


def covered(
    script: Path, source: Path, modules: Sequence[str] = (), plugins: Sequence[Mapping[str, Path]] = ()
) -> dict[str, Path]:
    """Return the files whose content is a rule's code, by dotted name.

    Importing ``dere.a.b`` also runs ``dere/a/__init__.py``, so it is part of it. Files that lie beside a module and are
    not Python (tables, polygons) count as its data, as ``dere.a/table.csv``. Imports under ``if TYPE_CHECKING`` never
    run and are left out; modules that are imported by a name made at run time are not seen and have to be given.
    Of a plug-in all Python files count; what it imports outside the package and files beside it do not.

    Parameters
    ----------
    script
        File of the rule.
    source
        Folder that holds the package folder.
    modules
        Dotted names of further modules that the rule loads by name.
    plugins
        Python files of each plug-in by dotted name; one counts where ``modules`` names one of its files.

    Raises
    ------
    FileNotFoundError
        When the script or a further module does not exist.
    """
    if not script.exists():
        raise FileNotFoundError(f"{script} does not exist; every rule needs a script of its own name")
    found: dict[str, Path] = {script.name: script}
    waiting = [*module(script, source).imports]
    for name in modules:
        plugin = next((files for files in plugins if name in files), None)
        if plugin:
            found.update(plugin)
            waiting.extend(imported for path in plugin.values() for imported in module(path, source).imports)
        elif not _file_of(name, source):
            raise FileNotFoundError(f"{name} is no module below {source}; correct the modules of the rule's code")
    waiting.extend(modules)
    while waiting:
        for name, path in _loaded(waiting.pop(), source).items():
            if name not in found:
                found[name] = path
                waiting.extend(module(path, source).imports)
    folders = {path.parent for path in found.values() if path != script and path.is_relative_to(source)}
    data = {f"{_dotted(path.parent, source)}/{path.name}": path for folder in folders for path in data_files(folder)}
    return found | data


@cache
def data_files(folder: Path) -> tuple[Path, ...]:
    """Return the files of a package folder that are not Python."""
    return tuple(path for path in sorted(folder.iterdir()) if path.is_file() and path.suffix not in {".py", ".pyc"})


@dataclass(frozen=True)
class Module:
    """What counts of a source file: the dotted names that it imports, and the digest of what it does.

    Names lie below the package; some are those of functions and classes, not of modules. ``packages`` are the others.
    """

    imports: tuple[str, ...]
    packages: tuple[str, ...]
    digest: str


@cache
def module(path: Path, source: Path) -> Module:
    """Read a source file; see `Module`."""
    state_when_read(path)
    text = path.read_text(encoding="utf-8")
    package = _dotted(path.parent, source) if path.is_relative_to(source) else ""
    found = said(text, package, lambda: _said(ast.parse(text, filename=str(path)), package))
    names = {*found.names, *(name for room in found.rooms for name in _room_members(*room, source))}
    own = tuple(sorted(name for name in names if name.split(".")[0] == PACKAGE))
    others = {name.split(".")[0] for name in names} - {PACKAGE}
    return Module(own, tuple(sorted(others)), found.digest)


def _said(tree: ast.Module, package: str) -> Said:
    base = package.split(".") if package else []
    names: set[str] = set()
    rooms: set[tuple[str, str]] = set()
    for node in _running_nodes(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            prefix = base[: len(base) - node.level + 1] if node.level else []
            stem = ".".join((*prefix, *([node.module] if node.module else [])))
            names.update((stem, *(f"{stem}.{alias.name}" for alias in node.names)))
        elif isinstance(node, ast.Call):
            rooms.update(_room(node))
        elif isinstance(node, ast.Attribute) and node.attr == "__version__":
            names.add(ast.unparse(node))
    return Said(tuple(sorted(names)), tuple(sorted(rooms)), sha256(meaning(tree).encode()).hexdigest())


def _running_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk a syntax tree without the bodies of ``if TYPE_CHECKING``."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and only_for_types(node):
            waiting.extend(node.orelse)
        else:
            waiting.extend(ast.iter_child_nodes(node))


def _room(call: ast.Call) -> list[tuple[str, str]]:
    """Return the room that a call of `dere.rooms` names and what marks its members, if it is one."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    texts = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
    if name not in ROOM_CALLS or len(texts) != 2 or not str(texts[0]).startswith(f"{PACKAGE}."):
        return []
    return [(str(texts[0]), str(texts[1]))]


def _room_members(room: str, marker: str, source: Path) -> list[str]:
    return [f"{room}.{stem}" for stem in declaring(source.joinpath(*room.split(".")), marker)]


@cache
def _loaded(name: str, source: Path) -> Mapping[str, Path]:
    """Return what importing a dotted name runs below the package's ``__init__``: packages on the way and the module.

    A last part that is no module (a function, a class) is ignored.
    """
    parts = name.split(".")
    names = [".".join(parts[:length]) for length in range(2, len(parts) + 1)]
    files = {name: _file_of(name, source) for name in names}
    return {name: path for name, path in files.items() if path}


@cache
def _file_of(name: str, source: Path) -> Path | None:
    stem = source.joinpath(*name.split("."))
    return next((path for path in (stem / "__init__.py", stem.with_suffix(".py")) if path.exists()), None)


def _dotted(folder: Path, source: Path) -> str:
    return ".".join(folder.relative_to(source).parts)


@cache
def state_when_read(path: Path) -> tuple[int, ...]:
    """Return the state of a file from before this process first read it; no file is read twice."""
    return state_of(path)


@cache
def _content_digest(path: Path) -> str:
    state_when_read(path)
    return sha256(path.read_bytes()).hexdigest()


@cache
def _version(source: Path) -> str:
    """Return what ``dere/__init__.py`` assigns to ``__version__``."""
    path = source / PACKAGE / "__init__.py"
    for node in ast.parse(path.read_text(encoding="utf-8"), filename=str(path)).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__version__":
            return str(ast.literal_eval(node.value))
    raise ValueError(f"{path} assigns no __version__; give it one, because modules of the package state it")


def share_package(source: Path) -> None:
    """Let rule scripts, which run in processes of their own, read the package from this checkout."""
    paths = [str(source), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
