"""Which sources of a file were invented, and the words in which files and figures say so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

ATTRIBUTE = "invented_sources"
"""Global attribute that lists the invented sources of a file; files made of it pass it on."""
WORLD = "invented world"
PROCESS_MODEL = "simulation (built-in process model)"
"""What was simulated on the forcing of towers: the weather may be measured, the model is that of the world."""


def source_text(sources: Sequence[str], about: str = "") -> str:
    """Text of the attribute ``source``.

    Parameters
    ----------
    sources
        Invented ones; empty = none.
    about
        Who wrote the file.

    Examples
    --------
    >>> source_text(["cover", "towers"], "dere 1.0")
    'invented world: cover, towers; dere 1.0'
    """
    world = f"{WORLD}: {', '.join(sources)}" if sources else ""
    return "; ".join(text for text in (world, about) if text)


def marked(sources: Sequence[str], about: str = "") -> dict[str, str]:
    """Global attributes of a file made of these invented sources; none where there is nothing to say."""
    text = {"source": source_text(sources, about)} if sources or about else {}
    return text | ({ATTRIBUTE: "; ".join(sources)} if sources else {})


def invented_sources(parents: Iterable[Mapping[Any, Any]]) -> list[str]:
    """Invented sources that the attributes of files list, each once."""
    listed = (str(attrs.get(ATTRIBUTE, "")).split("; ") for attrs in parents)
    return list(dict.fromkeys(source for sources in listed for source in sources if source))


def figure_line(sources: Sequence[str]) -> str:
    """Line below a figure; empty where nothing was invented."""
    text = source_text(sources)
    return text[:1].upper() + text[1:]
