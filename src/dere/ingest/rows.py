"""Rows of tables: how long they and the header may be, and that no name stands in the header twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import IO

WIDEST = 10_000
"""Columns of a table; the widest product has some 300."""

_ROW = 1 << 20
_LINE_ENDS = (b"\n", b"\r")


def require_rows(stream: IO[bytes], source: str) -> None:
    """Check, without holding it, that a text has lines.

    Raises
    ------
    ValueError
        When a row has more than 1 MiB (one of twice that may escape).
    """
    while block := stream.read(_ROW):
        if len(block) == _ROW and not any(end in block for end in _LINE_ENDS):
            raise ValueError(
                f"{source} has a row of more than {_ROW} bytes, but a table of lines is expected; download it again or "
                "write line ends"
            )


def require_width(columns: int, source: str) -> None:
    """Check that a header row has a number of columns that a table of measurements may have.

    Raises
    ------
    ValueError
        Names both numbers.
    """
    if columns > WIDEST:
        raise ValueError(
            f"{source} has {columns} columns in its header row, but at most {WIDEST} are read; give the table as the "
            "product has it, or keep the columns that are needed"
        )


def require_unique(names: Sequence[str], source: str) -> None:
    """Check that no column name stands twice in a header; pandas would rename or join such columns.

    Raises
    ------
    ValueError
        Names the first that does.
    """
    twice = [(name, count) for name, count in Counter(names).items() if name and count > 1]
    if twice:
        raise ValueError(
            f"{source} has column {twice[0][0]} {twice[0][1]} times, but each name may stand in the header once; "
            "remove or rename a column"
        )
