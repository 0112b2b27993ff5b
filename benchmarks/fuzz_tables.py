"""Tables of texts: what they hold, and how fields are changed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from fuzz_changes import pick

from mutations.tables import Sheet


@dataclass(frozen=True)
class Table:
    """What a table holds.

    Parameters
    ----------
    numbers
        Columns of numbers that are read.
    stamp
        Column of the times, which increase.
    span
        The file's name says its first and last year.
    site, places
        Columns of the sites' ids, and of latitude and longitude.
    free
        The order of the rows says nothing.
    missing
        How a missing number is written.
    units
        Column to factor and offset of a unit that it must not have.
    whole
        The rows are all there or the table is refused: it may be cut between two of them.
    """

    numbers: tuple[str, ...]
    stamp: str = ""
    span: bool = False
    site: str = ""
    places: tuple[str, str] | None = None
    free: bool = False
    missing: str = "-9999"
    units: dict[str, tuple[float, float]] = field(default_factory=dict)
    whole: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """Columns that say whose or when a row is."""
        return tuple(name for name in (self.stamp, self.site, *(self.places or ())) if name)


def fields_of(sheet: Sheet, column: str) -> list[str]:
    """Fields of a column."""
    return [row[sheet.column(column)] for row in sheet.rows]


def with_fields(sheet: Sheet, column: str, fields: list[str]) -> Sheet:
    """The table with another column in place of one."""
    at = sheet.column(column)
    rows = tuple((*row[:at], text, *row[at + 1 :]) for row, text in zip(sheet.rows, fields, strict=True))
    return replace(sheet, rows=rows)


def put(sheet: Sheet, column: str, places: np.ndarray, text: str) -> Sheet:
    """The table with a text in some rows of a column."""
    fields = fields_of(sheet, column)
    for place in places:
        fields[int(place)] = text
    return with_fields(sheet, column, fields)


def number_column(sheet: Sheet, rng: np.random.Generator, about: Table) -> str:
    """A column of numbers that the table has."""
    return str(pick(rng, [name for name in about.numbers if name in sheet.header]))


def some_rows(sheet: Sheet, rng: np.random.Generator, most: int = 3) -> np.ndarray:
    """Positions of one or some rows."""
    return rng.choice(len(sheet.rows), size=min(len(sheet.rows), int(rng.integers(1, most + 1))), replace=False)


def is_number(text: str) -> bool:
    """Whether a field is a number that is there."""
    try:
        return np.isfinite(float(text)) and float(text) != -9999
    except ValueError:
        return False


def emptied(sheet: Sheet, column: str, about: Table) -> Sheet:
    """The table with nothing but missing values in a column."""
    return with_fields(sheet, column, [about.missing] * len(sheet.rows))


def pick_rows(sheet: Sheet, order: np.ndarray) -> list[tuple[str, ...]]:
    """Rows in another order."""
    return [sheet.rows[int(at)] for at in order]
