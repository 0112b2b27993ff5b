"""Which sources of a file were invented, and the words in which files and figures say so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

ATTRIBUTE = "invented_sources"
"""Global attribute that lists the invented sources of a file; files made of it pass it on."""
WORLD = "invented world"
PROCESS_MODEL = "simulation (built-in process model)"
"""What was simulated on the forcing of towers; where that was measured, nothing is invented, but files say so too."""


def source_text(sources: Sequence[str], about: str = "") -> str:
    """Text of the attribute ``source``.

    Parameters
    ----------
    sources
        Invented ones, and `PROCESS_MODEL` where it ran; empty = none.
    about
        Who wrote the file.

    Examples
    --------
    >>> source_text(["cover", "towers"], "dere 1.0")
    'invented world: cover, towers; dere 1.0'
    >>> source_text([PROCESS_MODEL], "dere 1.0")
    'simulation by the built-in process model; dere 1.0'
    """
    drawn = invented_only(sources)
    world = f"{WORLD}: {', '.join(drawn)}" if drawn else ""
    model = "simulation by the built-in process model" if PROCESS_MODEL in sources else ""
    return "; ".join(text for text in (world, model, about) if text)


def invented_only(sources: Iterable[str]) -> list[str]:
    """Sources that are files of the invented world; a process model on measured weather is not."""
    return [source for source in sources if source != PROCESS_MODEL]


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
