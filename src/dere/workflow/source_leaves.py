"""Which leaves of the sources a rule gets: those that it reads, so that changing any other reruns nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dere.ingest.cover.stand_ages import AGES
from dere.ingest.source import of_modules, source_called

WORLD_LEAVES = ("annual_targets",)
"""Of the built-in world's own files, which say the rest themselves."""
FILES_ONLY = (
    *("format", "path", "network", "coordinates", "grid_degrees", "start_year", "row_order", "hours", "annual_targets"),
    "netcdf",
)
"""Leaves of the simulation that the built-in process model does not read; new ones count as its own."""
TOWERS_ALWAYS = (
    "provider", "paths", "use_satellites", "partitioning", "fallback",
)  # fmt: skip
"""Leaves of the towers that are read whatever the files; of the others each source names its own."""
TOWERS_LIMITS = ("maximum_member_gb", "maximum_compression", "minimum_sites")
"""Leaves of the towers that end a run or do nothing: what was read within a limit is the same within any other."""
AGES_ALWAYS = ("format", "path")
"""Leaves of the stand ages that say which source reads them; of the others each source names its own."""
FINE_MAPS_ONLY = ("aggregate_degrees", "area_weights", "tower_window_km")
"""Leaves of the cover that rules of their own read."""


def ingested_simulation(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the reader of a simulation in files reads of ``sources.simulation``."""
    source = config["sources"]["simulation"]
    own = source["format"] == "carbonglobe" and not source["path"]
    leaves = WORLD_LEAVES if own else source_called("simulation", source["format"]).options
    return {"format": source["format"], **{name: source[name] for name in leaves}}


def harmonised_simulation(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what harmonise reads of ``sources.simulation``: settings of the built-in process model, if that runs."""
    source = config["sources"]["simulation"]
    if source["provider"] == "files":
        return {"provider": "files"}
    return {name: value for name, value in source.items() if name not in FILES_ONLY}


def ingested_cover(config: Mapping[str, Any], modules: Sequence[str]) -> dict[str, Any]:
    """Return what is read of ``sources.cover``: of the stand ages what the sources of some modules read."""
    given = _of_files(config["sources"]["cover"], FINE_MAPS_ONLY)
    if "age" in given:
        read = {leaf for member in of_modules(modules) if member.role == AGES for leaf in member.options}
        given["age"] = {name: value for name, value in given["age"].items() if name in {*AGES_ALWAYS, *read}}
    return given


def ingested_towers(config: Mapping[str, Any], modules: Sequence[str]) -> dict[str, Any]:
    """Return what is read of ``sources.towers`` by the sources of some modules, and by any run."""
    source = config["sources"]["towers"]
    read = {*TOWERS_ALWAYS, *(leaf for member in of_modules(modules) for leaf in member.options)}
    return _of_files(source, tuple(name for name in source if name not in read))


def limits_of_towers(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the leaves of ``sources.towers`` that only refuse; none where the towers are part of arrays."""
    source = config["sources"]["towers"]
    return {} if source["provider"] == "dere" else {name: source[name] for name in TOWERS_LIMITS}


def _of_files(source: Mapping[str, Any], unread: tuple[str, ...] = ()) -> dict[str, Any]:
    """Leaves of a source; where it is part of the simulation's arrays, only that it is."""
    if source["provider"] == "dere":
        return {"provider": "dere"}
    return {name: value for name, value in source.items() if name not in unread}
