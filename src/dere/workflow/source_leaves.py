"""Which leaves of the sources a rule gets: those that it reads, so that changing any other reruns nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dere.ingest.source import of_modules, source_called

WORLD_LEAVES = ("annual_targets",)
"""Of the built-in world's own files, which say the rest themselves."""
FILES_ONLY = (
    *("format", "path", "network", "coordinates", "grid_degrees", "start_year", "row_order", "hours", "annual_targets"),
    "netcdf",
)
"""Leaves of the simulation that the built-in process model does not read; new ones count as its own."""
TOWERS_ALWAYS = (
    "provider", "paths", "use_satellites", "partitioning", "fallback", "maximum_member_gb", "maximum_compression",
    "minimum_sites",
)  # fmt: skip
"""Leaves of the towers that are read whatever the files; of the others each source names its own."""
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


def ingested_cover(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the reader of plant types and stand ages reads of ``sources.cover``."""
    return _of_files(config["sources"]["cover"], FINE_MAPS_ONLY)


def ingested_towers(config: Mapping[str, Any], modules: Sequence[str]) -> dict[str, Any]:
    """Return what is read of ``sources.towers`` by the sources of some modules, and by any run."""
    source = config["sources"]["towers"]
    read = {*TOWERS_ALWAYS, *(leaf for member in of_modules(modules) for leaf in member.options)}
    return _of_files(source, tuple(name for name in source if name not in read))


def _of_files(source: Mapping[str, Any], unread: tuple[str, ...] = ()) -> dict[str, Any]:
    """Leaves of a source; where it is part of the simulation's arrays, only that it is."""
    if source["provider"] == "dere":
        return {"provider": "dere"}
    return {name: value for name, value in source.items() if name not in unread}
