"""Whose a file of the tower folders is, by its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dere.ingest.source import Product, Source, sources


class Claim(NamedTuple):
    """Whose a file is, and of which product where it holds no towers; ``read`` is false for what is only known."""

    source: Source
    read: bool
    without: Product | None = None


def known_sources() -> tuple[Source, ...]:
    """Every source of towers and of what is known of sites."""
    return tuple(source for source in sources() if source.kind in ("tower", "metadata"))


def claim(path: str, inside: bool, among: Sequence[Source]) -> Claim | None:
    """Say whose a file is.

    Parameters
    ----------
    path
        Its path from the source folder on.
    inside
        It lies in an archive.
    among
        Sources to ask, in order.

    Raises
    ------
    ValueError
        When two sources that are asked together both read it.
    """
    for source in among:
        for key, matches in source.without.items():
            if matches(path):
                return Claim(source, False, source.product(key))
    fitting = [s for s in among if not s.folder and (s.in_archives or not inside) and s.matches(path)]
    for other in fitting[1:]:
        if (other.kind, other.order) == (fitting[0].kind, fitting[0].order):
            raise ValueError(
                f"{path} is named like files of {fitting[0].name} and of {other.name}, but one source must read it; "
                "rename the file, or let one of the two match fewer names"
            )
    if fitting:
        return Claim(fitting[0], True)
    owner = next((source for source in among if source.known and source.known(path)), None)
    return Claim(owner, False) if owner else None
