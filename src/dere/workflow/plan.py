"""What a call of Snakemake was planned with, agreed once between the call and its jobs.

The parameters of a job are worked out when it is planned, and again on the node where a cluster runs it: whoever comes
first writes what it found into the plan, and everybody else reads it there. What Snakemake records of a job is then
what the job itself was held to, whatever was edited in between.

The plan is a folder below ``.snakemake``, named by the environment variable `PLAN`; it goes with the call.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

STATE = Path(".snakemake", "dere")
"""What the pipeline notes about the runs of a working directory."""
PLAN = "DERE_PLAN"
"""Environment variable: folder of the plan; Snakemake hands it to its jobs."""
_KEPT_DAYS = 30
_known: dict[tuple[str, str], str] = {}


@dataclass(frozen=True)
class PlannedFile:
    """A file as it was when a job was planned.

    Parameters
    ----------
    name
        Dotted name of a module, else a name for people.
    path
        Where it lies.
    state
        Size in bytes, modification and change time in ns, inode; see `state_of`.
    mark
        Digest of what counts of it.
    """

    name: str
    path: str
    state: tuple[int, ...]
    mark: str


@dataclass(frozen=True)
class Planned:
    """A parameter of a job, and the files that it stands for."""

    value: str
    files: Sequence[PlannedFile] = field(default=())


def state_of(path: str | os.PathLike[str]) -> tuple[int, ...]:
    """Return what changes when a file is written, whatever date it is given; nothing where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def begin(state: Path = STATE) -> str:
    """Begin the plan of a call of Snakemake and remove those of calls that were killed long ago.

    Where nothing may be written (a dry run in somebody else's checkout), there is no plan.

    Returns
    -------
    str
        What to warn of where there is none; else nothing.
    """
    folder = state.absolute() / "plans" / uuid.uuid4().hex
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        os.environ.pop(PLAN, None)
        return (
            f"What is edited while this run goes on will not be noticed, because {state / 'plans'} cannot be written "
            f"({error.strerror}); remove it, or change its rights"
        )
    for other in folder.parent.iterdir():
        # another call may end and remove its own meanwhile
        with suppress(FileNotFoundError):
            if time.time() - other.stat().st_mtime > _KEPT_DAYS * 86400:
                shutil.rmtree(other, ignore_errors=True)
    os.environ[PLAN] = str(folder)
    atexit.register(_end, folder, os.getpid())
    return ""


def _end(folder: Path, process: int) -> None:
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)


def agreed(name: str, find: Callable[[], Planned]) -> str:
    """Return the parameter ``name`` of this call: what the plan holds, else what ``find`` finds, for everybody."""
    folder = os.environ.get(PLAN, "")
    if not Path(folder or os.devnull).is_dir():
        return find().value
    if (folder, name) not in _known:
        _known[folder, name] = (_read(_place(folder, name)) or _first(Path(folder), name, find())).value
    return _known[folder, name]


def agreed_values(name: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plain values ``name`` of this call, for jobs that read them again where they may be others by then."""
    text = agreed(name, lambda: Planned(json.dumps(found)))
    return dict(json.loads(text))


def files_behind(value: str) -> list[PlannedFile]:
    """Return the files that a parameter stands for; none outside a plan.

    Raises
    ------
    ValueError
        When the plan of this call was removed, so that nobody can tell whether they are still what they were.
    """
    folder = os.environ.get(PLAN, "")
    if folder and not Path(folder).is_dir():
        raise ValueError(
            f"{folder} holds what this run was planned with, but it was removed while the run went on; call again"
        )
    found = _read(_place(folder, f"value {value}"))
    return list(found.files) if found else []


def _first(folder: Path, name: str, planned: Planned) -> Planned:
    """Write a parameter unless somebody was faster, and return the one that counts."""
    # vars, because the copies that dataclasses.asdict makes of every state cost more than writing them
    content = {"value": planned.value, "files": [vars(file) for file in planned.files]}
    write_note(content, _place(folder, f"value {planned.value}"))
    own = write_note(content, folder / f"{uuid.uuid4().hex}.json")
    try:
        # unlike a rename, a second link is refused
        os.link(own, _place(folder, name))
    except FileExistsError:
        return _read(_place(folder, name)) or planned
    except OSError:
        # a file system without links: the last one counts
        os.replace(own, _place(folder, name))
        return planned
    finally:
        own.unlink(missing_ok=True)
    return planned


def _place(folder: str | Path, name: str) -> Path:
    return Path(folder, sha256(name.encode()).hexdigest()[:32] + ".json")


def write_note(content: Mapping[str, Any], path: Path) -> Path:
    """Write JSON atomically where processes of several machines write: a process number would not tell them apart.

    Raises
    ------
    OSError
        When the folder may not be written to.
    """
    temporary = path.with_name(f".{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(content), encoding="utf-8")
        os.replace(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return path


def _read(path: Path) -> Planned | None:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    files = [PlannedFile(**{**file, "state": tuple(file["state"])}) for file in found["files"]]
    return Planned(found["value"], files)
