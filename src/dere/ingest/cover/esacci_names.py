"""Names of the ESA CCI plant-type maps; imports nothing heavy, because the workflow reads it before any job."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_NAME = re.compile(
    r"ESACCI-LC-L4-PFT-Map-300m-P1Y(?P<aggregated>-aggregated)?-(?P<year>\d{4})-v(?P<version>[\d.]+)\.nc"
)


def year_of(name: str) -> int | None:
    """Year of a map, or None for another file."""
    match = _NAME.fullmatch(name)
    return int(match["year"]) if match else None


def version_of(name: str) -> str:
    """Version of a map without its v, for example 2.0.8; empty for another file."""
    match = _NAME.fullmatch(name)
    return match["version"] if match else ""


def is_aggregated(name: str) -> bool:
    """Tell whether a map was aggregated to a coarser grid."""
    match = _NAME.fullmatch(name)
    return bool(match and match["aggregated"])


def aggregated_name(name: str) -> str:
    """Name of the aggregated map made of a 300 m map."""
    return name.replace("-P1Y-", "-P1Y-aggregated-") if not is_aggregated(name) else name


def fine_maps(paths: Iterable[Path]) -> dict[int, Path]:
    """300 m maps by year, in the order of the years.

    Raises
    ------
    ValueError
        When two files are of one year.
    """
    found: dict[int, Path] = {}
    for path in sorted(paths, key=lambda path: path.name):
        year = year_of(path.name)
        if year is None or is_aggregated(path.name):
            continue
        if year in found:
            raise ValueError(
                f"{path.name} is a second 300 m map of {year} beside {found[year].name}, but one per year is expected; "
                "remove one"
            )
        found[year] = path
    return dict(sorted(found.items()))
