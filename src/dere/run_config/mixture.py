"""Real and invented sources in one run: which are which, and the sentence that refuses an unintended mixture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dere.words import listed

KEYS = {"simulation": "path", "cover": "path", "towers": "paths"}
"""Source to the leaf that names its files; where it is empty, the built-in world writes them."""
OTHER_PROVIDERS = {"simulation": "builtin (with harmonise.driver_set: monthly8)", "cover": "igbp", "towers": "bundled"}
"""Providers that need no files and invent none: the process model on the towers' own weather, the table of classes, the
towers of the package."""
BUNDLED = "bundled"
"""Provider of the towers that come with the package, beside which folders of one's own may stand."""
FROM_FILES = ("files", BUNDLED)
"""Providers that read the files that their source names."""
PROVIDED = "sources.towers.provider"
"""Leaf that names the towers of the package."""

Tree = Mapping[str, Any]


def built_in(config: Tree) -> list[str]:
    """Return the sources that the built-in world writes, because the configuration names no files for them."""
    if config["world"] is None:
        return []
    sources = config["sources"]
    return [name for name, key in KEYS.items() if not sources[name][key] and sources[name].get("provider") == "files"]


def own_files(config: Tree) -> list[str]:
    """Return the leaves that name real files, with their whole keys."""
    sources = config["sources"]
    named = [
        f"sources.{name}.{key}"
        for name, key in KEYS.items()
        if sources[name][key] and sources[name].get("provider") in FROM_FILES
    ]
    if sources["towers"]["provider"] == BUNDLED:
        named.append(PROVIDED)
    if sources["methane"]["path"] and "ch4" in config["exchanges"]:
        named.append("sources.methane.path")
    # stand ages are read beside the maps and beside the table of classes
    ages = sources["cover"]["provider"] != "dere" and sources["cover"]["age"]["path"]
    return [*named, *(["sources.cover.age.path"] if ages else [])]


def refused_mixture(config: Tree) -> str | None:
    """Return why a run may not mix what it mixes; None where all is real, all is invented, or the mixture is allowed.

    Parameters
    ----------
    config
        A complete configuration as plain values.
    """
    invented, real = built_in(config), own_files(config)
    if not (invented and real) or config["allow_invented"]:
        return None
    one, single = len(invented) == 1, len(real) == 1
    empty = listed([f"sources.{name}.{KEYS[name]}" for name in invented])
    others = [f"sources.{name}.provider: {OTHER_PROVIDERS[name]}" for name in invented if name in OTHER_PROVIDERS]
    choose = f"choose {listed(others)}, " if others else ""
    return (
        f"{listed(real)} {'names' if single else 'name'} real files, but {listed(invented)} would come from the "
        f"built-in invented world, because {empty} {'is' if one else 'are'} empty; name files there, {choose}or accept "
        "the mixture with allow_invented: true"
    )
