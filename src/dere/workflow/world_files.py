"""Files of the built-in world that a configuration names like any others: they say themselves what they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from dere import resources
from dere.invented import WORLD
from dere.io import read_netcdf
from dere.run_config.mixture import KEYS, PROVIDED, own_files
from dere.world.tower_network import TOWERS, VIRTUAL

_SITE = re.compile(rf"(^|_)({TOWERS}|{VIRTUAL})-")
_README = "README.md"


def refused_files(config: Mapping[str, Any]) -> str | None:
    """Return why a run may not read files of the world beside real ones; None where it does not, or is allowed to.

    Parameters
    ----------
    config
        A complete configuration as plain values.
    """
    sources = config["sources"]
    read = own_files(config)
    named = [(f"sources.{name}.{key}", path) for name, key in KEYS.items() for path in _paths(sources[name][key])]
    # what the package brings of itself
    named += [(PROVIDED, str(resources.TOWERS))]
    named += [("sources.cover.age.path", path) for path in _paths(sources["cover"]["age"]["path"])]
    named = [(leaf, path) for leaf, path in named if leaf in read]
    invented = [f"{path} ({leaf})" for leaf, path in named if of_the_world(Path(path))]
    real = [f"{path} ({leaf})" for leaf, path in named if not of_the_world(Path(path))]
    if not (invented and real) or config["allow_invented"]:
        return None
    return (
        f"{', '.join(invented)} holds files of the built-in invented world, but {', '.join(real)} real ones; name real "
        "files for all sources, or accept the mixture with allow_invented: true"
    )


def _paths(given: str | list[str]) -> list[str]:
    return [given] * bool(given) if isinstance(given, str) else list(given)


def of_the_world(path: Path) -> bool:
    """Tell whether a folder or file is of the world, by ids of towers, its README, or what a NetCDF file says."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    if any(_SITE.search(file.name) for file in files) or _said_beside(path):
        return True
    maps = [file for file in files if file.suffix == ".nc" and file.is_file()]
    return bool(maps) and _source(maps[0]) == WORLD


def _said_beside(path: Path) -> bool:
    for folder in (path, path.parent):
        with suppress(OSError, UnicodeDecodeError), (folder / _README).open(encoding="utf-8") as readme:
            if readme.readline().strip() == f"Source: {WORLD}.":
                return True
    return False


def _source(file: Path) -> str:
    try:
        with read_netcdf(file, load=False, decode_times=False) as found:
            return str(found.attrs.get("source", ""))
    except ValueError:
        # damaged, which its reader says
        return ""
