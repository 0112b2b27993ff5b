"""Main climates of Koeppen codes."""

from __future__ import annotations

from dere.config.tower_groups import CLIMATES

_CLIMATES = dict(zip("ABCDE", CLIMATES, strict=True))
_WORDS = {word: word for word in _CLIMATES.values()} | {"arctic": "polar", "boreal": "continental"}


def climate_group(koppen: str) -> str:
    """Main climate of a Koeppen code or climate word; empty where unknown.

    Examples
    --------
    >>> climate_group("Cfb"), climate_group("Arctic"), climate_group("")
    ('temperate', 'polar', '')
    """
    text = str(koppen).strip()
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    # Codes have two or three letters; a longer word that starts with the same letter is something else.
    return _CLIMATES.get(text[:1], "") if 1 <= len(text) <= 3 else ""
