"""Which sources a run needs, by the names of its files and by its configuration; read by the rules before any job.

Their modules are part of the code of the rules that read them, and those of no other source are: adding or editing one
that no file of the run matches reruns nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dere.config.cover import AgeSource
from dere.ingest.cover.stand_ages import AGES, find_ages
from dere.ingest.source import Source, of_modules, source_called, sources
from dere.ingest.tower.discovery import modules_of, wanted, wanted_by_names
from dere.workflow.tower_folders import tower_folders
from dere.world.file_names import BIF_NAME, file_name

ARRAYS = "dere.workflow.ingest_dere"
"""Reads cover and towers where they are part of the simulation's arrays."""
WORLD_TOWERS = (file_name("AA-Any", 2000, 2001), BIF_NAME)
METHANE, MADE = "ch4", "builtin"
"""The exchange that reads simulated methane, and the provider that needs no files."""
WORLD_AGES = "table"
"""What the built-in world writes, whose files are not there before its job."""


def of_towers(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Modules whose sources read the towers of a run.

    Raises
    ------
    ValueError
        When a file is named like those of two sources.
    """
    source = config["sources"]["towers"]
    if source["provider"] == "dere":
        return ()
    folders = tower_folders(source["provider"], source["paths"])
    return wanted([Path(path) for path in folders]) if folders else wanted_by_names(WORLD_TOWERS)


def of_simulation(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Modules whose sources read the simulation of a run."""
    return modules_of([source_called("simulation", config["sources"]["simulation"]["format"])])


def of_methane(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Modules whose sources read the simulated methane of a run; none where the run makes it or needs none."""
    found = methane_source(config)
    return modules_of([found]) if found else ()


def methane_source(config: Mapping[str, Any]) -> Source | None:
    """Return the source that reads the simulated methane of a run, where it is in files."""
    provider = config["sources"]["methane"]["provider"]
    wanted = METHANE in config["exchanges"] and provider != MADE
    return source_called("methane", provider) if wanted else None


def of_ages(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Modules whose sources read the stand ages of cells; all of them where the job has to say what is wrong."""
    source = config["sources"]["cover"]
    maps = source["path"] if source["provider"] == "files" else ""
    if source["provider"] == "dere" or (source["provider"] != "files" and not source["age"]["path"]):
        return ()
    if not maps and not source["age"]["path"]:
        return modules_of([source_called("cover", WORLD_AGES)])
    try:
        name, _ = find_ages(AgeSource(**source["age"]), Path(maps) if maps else None)
    except (FileNotFoundError, ValueError):
        return modules_of([source for source in sources() if source.role == AGES])
    return modules_of([source_called("cover", name)])


def with_readers(modules: Sequence[str]) -> tuple[str, ...]:
    """Return modules that declare sources and those that read them: what a job loads by name."""
    return (*modules, *dict.fromkeys(source.module for source in of_modules(modules)))


def arrays_code(config: Mapping[str, Any], source: str) -> tuple[str, ...]:
    """Modules that read a source where it is part of the simulation's arrays; else none."""
    return (ARRAYS,) if config["sources"][source]["provider"] == "dere" else ()
