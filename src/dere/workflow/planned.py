"""Parameters of rules that say what a job was planned with: its code, its input files, the versions of packages.

Each is a function of the wildcards alone, because Snakemake takes parameters that read inputs for derived ones and does
not compare them. All are worked out when they are asked for and agreed within a call (`dere.workflow.plan`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dere import versions
from dere.workflow.compiled import drop_outdated
from dere.workflow.contents import contents
from dere.workflow.digest import digest, mark, packages, state_when_read
from dere.workflow.job_record import read_record, record_of
from dere.workflow.loaded import note_modules
from dere.workflow.plan import Planned, PlannedFile, agreed
from dere.workflow.version_policy import Policy, planned_versions

OfWildcards = Callable[[Any], Any]
_dropped: set[Path] = set()
"""Sources whose outdated compiled forms this process has looked for; it reads no source twice."""


@dataclass(frozen=True)
class Maker:
    """What makes the files of a rule.

    Parameters
    ----------
    job
        Run, script and what tells rules of one script apart.
    files
        Gives the files of the rule's code by dotted name, from the wildcards.
    source
        Folder that holds the package folder.
    policy
        What happens when packages have other versions than those a job ran with.
    """

    job: str
    files: Callable[[Any], Mapping[str, Path]]
    source: Path
    policy: Policy

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the rule by name."""
        return {"job": self.job, "code": self.code, "versions": self.versions, "again": self.again}

    def code(self, wildcards: Any) -> str:
        """Return the digest of the code."""
        return agreed(f"code {self._of(wildcards)}", lambda: self._code(wildcards))

    def versions(self, wildcards: Any) -> str:
        """Return the versions that the job was made with while the policy accepts them, else those of today."""
        return agreed(f"versions {self._of(wildcards)}", lambda: Planned(self._versions(wildcards)))

    def again(self, wildcards: Any) -> str:
        """Return the word that a job leaves when something it read was changed meanwhile; nothing else has one."""
        return agreed(f"again {self._of(wildcards)}", lambda: Planned(self._again(wildcards)))

    def _of(self, wildcards: Any) -> str:
        return f"{self.job} {dict(wildcards.items())}"

    def _again(self, wildcards: Any) -> str:
        record = read_record(record_of(self.job, dict(wildcards.items())))
        return record.again if record else ""

    def _code(self, wildcards: Any) -> Planned:
        files = self.files(wildcards)
        once = {path for path in files.values() if path.suffix == ".py"} - _dropped
        drop_outdated(once)
        _dropped.update(once)
        found = digest(files, self.source)
        note_modules(found, files)
        return Planned(found, [self._file(name, path) for name, path in files.items()])

    def _file(self, name: str, path: Path) -> PlannedFile:
        return PlannedFile(name, str(path), state_when_read(path), mark(path, self.source))

    def _versions(self, wildcards: Any) -> str:
        today = versions.installed(versions.counted(packages(self.files(wildcards), self.source)))
        return planned_versions(read_record(record_of(self.job, dict(wildcards.items()))), today, self.policy)


def content_of(files: Sequence[str] | Callable[[Any], Sequence[str]]) -> OfWildcards:
    """Return the parameter that stands for the content of input files, or of those that wildcards choose."""

    def of_wildcards(wildcards: Any) -> str:
        found = list(files(wildcards)) if callable(files) else list(files)
        return agreed(f"content {found}", lambda: contents(found)) if found else ""

    return of_wildcards
