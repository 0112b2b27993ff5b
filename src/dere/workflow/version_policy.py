"""Whether other versions of Python and packages make a job run again (``rerun_on_versions``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal

from dere.workflow.job_record import JobRecord

Policy = Literal["warn", "major", "any", "never judged"]
NEVER: Policy = "never judged"
"""For jobs that Snakemake gives an environment of their own."""
Versions = Mapping[str, str]


def accepted(used: Versions, today: Versions, policy: Policy) -> bool:
    """Tell whether what was made with some versions stands beside others.

    Parameters
    ----------
    used, today
        Versions by distribution; only those that both name are compared.
    policy
        ``warn`` accepts all, ``major`` other minor versions, ``any`` none. Of Python, as of packages before 1.0, the
        second number counts as major.
    """
    if policy in ("warn", NEVER):
        return True
    count = _major if policy == "major" else _whole
    return all(count(name, used[name]) == count(name, today[name]) for name in used.keys() & today.keys())


def planned_versions(record: JobRecord | None, today: Versions, policy: Policy) -> str:
    """Return the parameter ``versions`` of a job: the one it was made with while the policy accepts those versions.

    A change of the policy alone therefore changes no parameter.
    """
    if record is None:
        return as_text(today)
    if accepted(record.used, today, policy):
        return record.versions
    # with both, so that versions that come back are no return to an older result
    return f"{as_text(today)} (before: {as_text(record.used)})"


def as_text(versions: Versions) -> str:
    """Return versions in one line."""
    return ", ".join(f"{name} {versions[name]}" for name in sorted(versions))


def names_in(text: str) -> list[str]:
    """Return the distributions that `as_text` named."""
    return [part.split()[0] for part in text.partition(" (")[0].split(", ") if part]


def said(records: Iterable[JobRecord], today: Versions, policy: Policy) -> str:
    """Return the sentence about jobs of a run that were made with other versions; nothing where there are none."""
    if policy == NEVER:
        return ""
    changed: Counter[str] = Counter()
    stay = 0
    for record in records:
        other = [name for name in record.used if name in today and record.used[name] != today[name]]
        changed.update(f"{name} {record.used[name]} (now {today[name]})" for name in other)
        stay += bool(other) and accepted(record.used, today, policy)
    if not changed:
        return ""
    jobs = ", ".join(f"{count} with {text}" for text, count in sorted(changed.items()))
    remedy = "" if policy == "any" else f"; {stay} of them stay as they are, rerun_on_versions: any makes them again"
    return (
        f"Jobs of this run were made with other versions: {jobs}. The setting is rerun_on_versions: {policy}{remedy}."
    )


def _whole(name: str, version: str) -> str:
    return version


def _major(name: str, version: str) -> list[str]:
    parts = version.split(".")
    return parts[: 2 if name == "python" or parts[0] == "0" else 1]
