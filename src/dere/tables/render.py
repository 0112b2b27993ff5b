"""Write the tables of columns in ``docs/``: ``python -m dere.tables.render [--check] [docs]``.

A page keeps its own prose. What stands between ``<!-- columns: skill -->`` (or ``<!-- tables -->``, the list of all
tables) and ``<!-- end -->`` is written from `dere.tables.declared`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from dere.tables.declared import FLUX, Column, Table, tables
from dere.tables.scores import with_scores

PAGES = ("tables.md", "comparison.md")
_BLOCK = re.compile(r"<!-- (tables|columns: (\w+)) -->\n.*?<!-- end -->", re.S)
_UNITS = {FLUX: "unit of the flux"}


def rendered(page: str) -> str:
    """Return a page with its blocks written anew.

    Raises
    ------
    ValueError
        When a block names a table that is not declared.
    """

    def block(match: re.Match[str]) -> str:
        if match[1] == "tables":
            text = listed()
        elif match[2] in tables():
            text = columns_of(tables()[match[2]])
        else:
            raise ValueError(f"the block of columns names {match[2]}, which is no table; add it to tables.csv")
        return f"<!-- {match[1]} -->\n{text}\n<!-- end -->"

    return _BLOCK.sub(block, page)


def listed() -> str:
    """Return the list of all tables."""
    rows = [
        (_quoted(table.files), table.says, ", ".join(f"`{rule}`" for rule in table.made_by))
        for table in tables().values()
    ]
    return _markdown(("table", "what it says", "made by"), rows)


def columns_of(table: Table) -> str:
    """Return the columns of a table."""
    return _markdown(("column", "what it is", "unit"), [_row(column) for column in with_scores(table).columns])


def _row(column: Column) -> tuple[str, str, str]:
    return _quoted(column.names), column.meaning.replace("|", r"\|"), _UNITS.get(column.unit, column.unit)


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _markdown(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |".replace("|  |", "| |").replace(" --- ", "---") for cells in lines)


def main(arguments: list[str]) -> int:
    """Write the pages, or with ``--check`` tell of those that differ from what is declared; return the status."""
    folder = Path(next((word for word in arguments if word != "--check"), "docs"))
    old = []
    for name in PAGES:
        path = folder / name
        before = path.read_text(encoding="utf-8")
        after = rendered(before)
        if after != before:
            old.append(name)
            if "--check" not in arguments:
                path.write_text(after, encoding="utf-8")
    if old and "--check" in arguments:
        sys.stderr.write(f"{folder / old[0]} is not what dere.tables declares; run python -m dere.tables.render\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
