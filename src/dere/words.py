"""Words as sentences write them."""

from __future__ import annotations

from collections.abc import Sequence


def listed(words: Sequence[str]) -> str:
    """Join words as a sentence does.

    Examples
    --------
    >>> listed(["simulation", "plant types", "towers"])
    'simulation, plant types and towers'
    """
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
