"""What stands on the page, before it is HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Cell:
    """One cell of a table: its text and, where it is a number, what it is sorted by; ``href`` makes it a link."""

    text: str
    order: float | None = None
    href: str = ""


@dataclass(frozen=True)
class Head:
    """Head of a column and what the column means."""

    text: str
    meaning: str = ""


@dataclass(frozen=True)
class Grid:
    """A table; ``strong`` are the numbers of rows that stand out."""

    heads: tuple[Head, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    strong: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Card:
    """One flux in a few lines.

    Parameters
    ----------
    title, name
        Short and long name of the flux.
    nse, rmse
        Median over the towers, with quartiles for the first.
    versus
        The paired ratio to the best simple method, in words.
    sure
        What the intervals hold, in words.
    picture
        Map of the towers as a ``data:`` address; empty where there is none.
    about
        What the map shows, for those who do not see it.
    """

    title: str
    name: str
    nse: str
    rmse: str
    versus: str
    sure: str
    picture: str = ""
    about: str = ""


@dataclass(frozen=True)
class Link:
    """A file of the run and what it is."""

    href: str
    text: str
    about: str = ""


@dataclass(frozen=True)
class Page:
    """The whole page.

    Parameters
    ----------
    run, exchange
        Names.
    origin, invented
        Whether the data are real, in a sentence; whether any are invented.
    lead
        Which method is shown, and on how many towers.
    cards
        One per flux.
    cost
        What the run cost, in a sentence.
    cite
        What to cite, the method first.
    grids
        Title to the table, the methods first.
    links
        Title to files.
    others
        Pages of the other exchanges of the run.
    """

    run: str
    exchange: str
    origin: str
    invented: bool
    lead: str
    cards: Sequence[Card]
    cost: str
    cite: Sequence[Cell]
    grids: dict[str, Grid] = field(default_factory=dict)
    links: dict[str, Sequence[Link]] = field(default_factory=dict)
    others: Sequence[Link] = ()
