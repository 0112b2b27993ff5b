"""The tables of a run and their columns, from ``tables.csv`` and ``columns.csv`` beside this file.

``tables.csv`` has a row per table: its name, its files below the folder of a run, what it says and which rules make it.
``columns.csv`` has a row per column, or per columns of one meaning and unit: a name with ``*`` stands for every column
of that pattern, ``@scores`` for the scores, which declare themselves (`dere.tables.scores`). The unit ``flux`` is that
of the flux; a column of texts or counts has none.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources

SCORES = "@scores"
"""Stands for the columns of all scores."""
FLUX = "flux"
"""Unit of a column that is in the unit of the flux."""
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


@dataclass(frozen=True)
class Column:
    """Columns of one meaning.

    Parameters
    ----------
    names
        Names, or patterns with ``*``.
    meaning
        What they are, as Markdown.
    unit
        Unit, ``1`` for a ratio or score, ``flux`` for the unit of the flux; empty for texts and counts.
    """

    names: tuple[str, ...]
    meaning: str
    unit: str = ""


@dataclass(frozen=True)
class Table:
    """One table.

    Parameters
    ----------
    name
        Name, that of its first file.
    files
        Files of it, below the folder of a run.
    says
        What it says, as Markdown.
    made_by
        Rules that write it.
    columns
        Its columns.
    """

    name: str
    files: tuple[str, ...]
    says: str
    made_by: tuple[str, ...]
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column | None:
        """Return what is declared of a column: under its name, else under the first pattern that fits."""
        exact = (column for column in self.columns if name in column.names)
        fits = (c for c in self.columns for pattern in c.names if "*" in pattern and fnmatchcase(name, pattern))
        return next(exact, None) or next(fits, None)


def plain(text: str) -> str:
    """Return Markdown of one line as plain text, for a tooltip.

    Examples
    --------
    >>> plain("scores, see [data.md](data.md); `all` pools them")
    'scores, see data.md; all pools them'
    """
    return _LINK.sub(r"\1", text).replace("`", "")


@cache
def tables() -> dict[str, Table]:
    """Return every table by its name, in the order in which they are documented.

    Raises
    ------
    ValueError
        When a column is declared of no table, twice, or without a meaning.
    """
    columns: dict[str, list[Column]] = {}
    for row in _rows("columns.csv"):
        own = columns.setdefault(row["table"], [])
        if not row["meaning"] or not row["columns"]:
            raise ValueError(f"columns.csv: a column of {row['table']} has no name or no meaning; write both")
        own.append(Column(tuple(row["columns"].split()), row["meaning"], row["unit"]))
    found = {}
    for row in _rows("tables.csv"):
        name, own = row["table"], columns.pop(row["table"], [])
        names = [column for declared in own for column in declared.names]
        if twice := sorted({column for column in names if names.count(column) > 1}):
            raise ValueError(f"columns.csv declares {twice[0]} of {name} twice; leave one of the rows out")
        found[name] = Table(name, tuple(row["files"].split()), row["says"], tuple(row["made_by"].split()), tuple(own))
    if columns:
        raise ValueError(f"columns.csv declares columns of {min(columns)}, which tables.csv lacks; add its row there")
    return found


def table_of(file: str) -> Table | None:
    """Return the table of a file by its path below the folder of a run or of an exchange there.

    Examples
    --------
    >>> table_of("tables/sources_cover.csv").name
    'sources'
    """
    parts = file.split("/")
    ends = {"/".join(parts[-2:]), parts[-1]}
    return next((table for table in tables().values() if ends & {*table.files}), None)


def _rows(name: str) -> list[dict[str, str]]:
    text = (resources.files(__package__) / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
