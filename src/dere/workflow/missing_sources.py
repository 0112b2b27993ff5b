"""Which files and folders that a configuration names are not there, or cannot be read as its sources, or do not mix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dere.run_config.describe import leaves
from dere.run_config.mixture import FROM_FILES, refused_mixture
from dere.workflow import source_modules
from dere.workflow.world_files import refused_files

PATHS = ("path", "paths", "coordinates")
"""Leaves of a source that name files or folders."""
READ = (*FROM_FILES, "xmethanewet")
"""Providers that read them."""


def missing_sources(config: Mapping[str, Any]) -> list[str]:
    """Return one sentence per file or folder of the run's sources that does not exist or is an empty folder.

    One more where real sources would mix with invented ones unintendedly.

    Parameters
    ----------
    config
        A complete configuration; relative paths are those of the working directory.
    """
    missing = [
        f"sources.{key}: {path} {'is an empty folder' if path.exists() else 'does not exist'}; correct the path"
        for key, path in named_paths(config["sources"])
        if not path.exists() or (path.is_dir() and not any(path.iterdir()))
    ]
    mixed = refused_mixture(config) or refused_files(config)
    return [*missing, *([mixed] if mixed else [])]


def wrong_sources(config: Mapping[str, Any]) -> list[str]:
    """Return one sentence per source that is missing, or whose files the rules would refuse before any job."""
    found = missing_sources(config)
    for ask in (
        source_modules.of_simulation,
        source_modules.of_methane,
        source_modules.of_ages,
        source_modules.of_towers,
    ):
        try:
            ask(config)
        except (ValueError, FileNotFoundError) as error:
            found.append(str(error))
    return found


def named_paths(sources: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    """Yield the leaf and the path of everything that sources in files name."""
    for kind, source in sources.items():
        for leaf, value in leaves(source) if source["provider"] in READ else ():
            if leaf.rpartition(".")[2] in PATHS:
                for path in [value] if isinstance(value, str) else value:
                    if path:
                        yield f"{kind}.{leaf}", Path(path)
