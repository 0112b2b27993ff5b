"""What a job does so that no result is of other code or other inputs than Snakemake has on record.

At its start, its code and inputs have to be those that it was planned with. Its modules are then loaded all at once, so
that an edit during the job does not reach it. At its end, it looks whether something it reads was changed meanwhile; a
word in its note (`dere.workflow.job_record`) then lets the next call make it again.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from dere import versions
from dere.workflow.job_record import JobRecord, record_of, write_record
from dere.workflow.plan import PlannedFile, files_behind, state_of
from dere.workflow.version_policy import names_in

log = logging.getLogger(__name__)

_LOADING_S = 10.0
"""Time before the check in which the modules of a script may have been loaded, unless the process is older."""
_PACKAGE = "dere."
_FOLDER = Path(__file__).parents[1]


@dataclass
class Watch:
    """The files that a job reads, from its start to its end.

    Parameters
    ----------
    job
        The rule's parameter ``job``.
    wildcards
        Its wildcards.
    code, content, planned_versions, again
        Its parameters ``code``, ``content``, ``versions`` and ``again``; empty where a rule has none.
    inputs
        Its input files.
    """

    job: str
    wildcards: Mapping[str, str]
    code: str
    content: str = ""
    planned_versions: str = ""
    again: str = ""
    inputs: Sequence[str] = ()
    _code: dict[PlannedFile, tuple[int, ...]] = field(default_factory=dict)
    _given: dict[PlannedFile, tuple[int, ...]] = field(default_factory=dict)
    _made: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def start(self) -> None:
        """Compare code and inputs with the plan and load the modules.

        Raises
        ------
        ValueError
            When a file is no longer what the job was planned with.
        """
        self._code, self._given = as_planned(files_behind(self.code)), as_planned(files_behind(self.content))
        for name in [file.name for file in self._code if _is_module(file)]:
            _load(name)
        for file, state in self._code.items():
            if state_of(file.path) != state:
                raise ValueError(_sentence([file.path]))
        self._made = {path: _written(path) for path in self.inputs if Path(path).is_file()}

    def end(self) -> None:
        """Note the versions that were used, and whether the job has to run again."""
        changed = self.changed()
        if changed:
            log.warning(
                "%s changed while this was made; its files stay, and the next call makes them again", _some(changed)
            )
        if self.job:
            used = versions.installed(names_in(self.planned_versions))
            again = uuid.uuid4().hex[:8] if changed else self.again
            write_record(JobRecord(self.job, self.planned_versions, used, again), record_of(self.job, self.wildcards))

    def changed(self) -> list[str]:
        """Return what was written since the start and may have been read: not code, which was loaded by then."""
        unread = [
            file.path
            for file, state in self._code.items()
            if not file.path.endswith(".py") and state_of(file.path) != state
        ]
        given = [file.path for file, state in self._given.items() if state_of(file.path) != state]
        named = {str(Path(path).absolute()) for path in given}
        made = [path for path, state in self._made.items() if _written(path) != state]
        return [*unread, *given, *(path for path in made if str(Path(path).absolute()) not in named)]


def watch_of(snakemake: Any) -> Watch:
    """Return the watch of a rule's job."""
    params = snakemake.params
    return Watch(
        job=params.get("job", ""),
        wildcards=dict(snakemake.wildcards.items()),
        code=params.get("code", ""),
        content=params.get("content", ""),
        planned_versions=params.get("versions", ""),
        again=params.get("again", ""),
        inputs=[str(path) for path in snakemake.input],
    )


def as_planned(files: Sequence[PlannedFile]) -> dict[PlannedFile, tuple[int, ...]]:
    """Return the files and their state now.

    Raises
    ------
    ValueError
        When the content of one is not the planned one, or it is code that became that again so lately that this process
        may have loaded either.
    """
    states = {file: state_of(file.path) for file in files}
    other = [file for file, state in states.items() if state != file.state]
    wrong = [file.path for file in other if not states[file] or _mark(file) != file.mark or _may_be_loaded(file)]
    if wrong:
        raise ValueError(_sentence(wrong))
    return states


def _mark(file: PlannedFile) -> str:
    # by name: whoever judges a job is no part of its code
    if file.path.endswith(".py"):
        digest = import_module("dere.workflow.digest")
        return str(digest.mark(Path(file.path), Path(__file__).parents[2]))
    return str(import_module("dere.io").file_sha256(Path(file.path)))


def _may_be_loaded(file: PlannedFile) -> bool:
    return file.path.endswith(".py") and time.time() - state_of(file.path)[2] / 1e9 < max(_LOADING_S, _age())


def _age() -> float:
    # by name, as above
    return float(import_module("dere.workflow.measured").age())


def _written(path: str) -> tuple[int, ...]:
    """Return the state of a file without its change time: a link to it, as backups make, is no edit."""
    state = state_of(path)
    return (*state[:2], *state[3:])


def _is_module(file: PlannedFile) -> bool:
    # plug-ins may have names within the package, and are loaded when the job asks for them
    return file.path.endswith(".py") and file.name.startswith(_PACKAGE) and Path(file.path).is_relative_to(_FOLDER)


def _load(name: str) -> None:
    try:
        import_module(name)
    except ModuleNotFoundError as error:
        # of a package that this job's environment lacks because it does not need it
        if (error.name or "").startswith(_PACKAGE):
            raise


def _sentence(paths: Sequence[str]) -> str:
    return (
        f"{_some(paths)} changed after this run was planned, but a job works with what it was planned with; "
        "call again, and the run plans with what is there now"
    )


def _some(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - 1} more files" if len(paths) > 1 else ""
    return f"{paths[0]}{more}"
