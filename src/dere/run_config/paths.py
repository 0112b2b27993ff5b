"""Paths of a configuration: which leaves hold them, and what no path may hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

LONGEST = 255
"""Bytes of one name in a path on the file systems in use."""
NAMES = ("path", "paths", "coordinates", "folder")
"""Leaves that name files or folders."""


def braces(path: str) -> str | None:
    """Return what is wrong with a path that holds a brace, which Snakemake takes for a wildcard; else None."""
    if "{" not in path and "}" not in path:
        return None
    return (
        f"{path} holds a brace, which Snakemake would read as a wildcard, but a path without {{ and }} is expected; "
        "rename it, or give a link without braces that leads to it"
    )


def too_long(path: str) -> str | None:
    """Return what is wrong with a path of which no file system can hold a name; else None."""
    longest = max(path.split("/"), key=lambda name: len(name.encode("utf-8", "surrogatepass")))
    size = len(longest.encode("utf-8", "surrogatepass"))
    if size <= LONGEST:
        return None
    return (
        f"{longest[:40]}... is a name of {size} bytes, but file systems hold at most {LONGEST} between two slashes; "
        "correct the path"
    )


def wrong_paths(tree: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """Yield one sentence per path of a configuration that no file can have or Snakemake cannot read, with its key."""
    for name, value in tree.items():
        key = f"{above}.{name}".lstrip(".")
        if isinstance(value, Mapping):
            yield from wrong_paths(value, key)
        elif name in NAMES:
            for path in [value] if isinstance(value, str) else value:
                if said := braces(path) or too_long(path):
                    yield f"{key}: {said}"
