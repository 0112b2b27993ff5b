"""What is noted of a job beside Snakemake's own record: the versions it ran with, and whether it has to run again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from dere.workflow.plan import STATE, write_note


@dataclass(frozen=True)
class JobRecord:
    """Note of a job that ended well.

    Parameters
    ----------
    job
        Run, rule and what tells the jobs of a rule apart.
    versions
        The parameter ``versions`` that it was planned with.
    used
        Versions that it ran with, by distribution.
    again
        A word that changes when something the job read changed while it ran; part of its parameters from then on.
    """

    job: str
    versions: str
    used: Mapping[str, str]
    again: str = ""


def record_of(job: str, wildcards: Mapping[str, str]) -> Path:
    """Return the file of a job's note."""
    text = json.dumps([job, sorted((str(name), str(value)) for name, value in wildcards.items())])
    return STATE / "jobs" / f"{sha256(text.encode()).hexdigest()[:32]}.json"


def read_record(path: Path) -> JobRecord | None:
    """Read a note; None where there is none, or none that can be read."""
    try:
        record = JobRecord(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    texts = [record.job, record.versions, record.again, *(record.used if isinstance(record.used, dict) else [None])]
    return record if all(isinstance(text, str) for text in texts) else None


def write_record(record: JobRecord, path: Path) -> None:
    """Write a note atomically."""
    write_note(asdict(record), path)


def records(run: str) -> Iterator[JobRecord]:
    """Yield the notes of a run's jobs."""
    for path in sorted((STATE / "jobs").glob("*.json")):
        record = read_record(path)
        if record and record.job.startswith(f"{run} "):
            yield record
