"""Damage to workbooks: what spreadsheets add to a table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openpyxl
from fuzz_changes import Change, Damage, damage, pick
from fuzz_tables import Table, is_number

from mutations.tables import Sheet

LAST_ROW, LAST_COLUMN = 1_048_576, 16_384


@dataclass(frozen=True)
class Book:
    """A table in a workbook.

    Parameters
    ----------
    sheet
        The table; fields that are numbers are stored as such.
    stray
        Row, column and value of cells outside it.
    texts
        Numbers are stored as text.
    further
        Names of empty sheets behind the table.
    """

    sheet: Sheet
    stray: tuple[tuple[int, int, object], ...] = ()
    texts: bool = False
    further: tuple[str, ...] = ()


def save(content: Sheet | Book, path: Path) -> None:
    """Write a workbook."""
    book = content if isinstance(content, Book) else Book(content)
    workbook = openpyxl.Workbook()
    page = workbook.active
    page.append(list(book.sheet.header))
    for row in book.sheet.rows:
        page.append([float(text) if is_number(text) and not book.texts else text or None for text in row])
    for line, column, value in book.stray:
        page.cell(line, column, value)
    for name in book.further:
        workbook.create_sheet(name)
    workbook.save(path)


@damage("harmless")
def numbers_stored_as_text(sheet: Sheet, rng: np.random.Generator, about: Table) -> Change:
    return Change(Book(sheet, texts=True))


@damage("harmless")
def further_sheets(sheet: Sheet, rng: np.random.Generator, about: Table) -> Change:
    return Change(Book(sheet, further=("notes", "Tabelle3")))


@damage("harmless", 2)
def stray_cell(sheet: Sheet, rng: np.random.Generator, about: Table) -> Change:
    """A blank, formatted for once, in the last corner or far below."""
    place = pick(rng, ((LAST_ROW, LAST_COLUMN), (LAST_ROW, 2), (40_000, 5), (3, LAST_COLUMN)))
    return Change(Book(sheet, stray=((*place, pick(rng, (" ", None, ""))),)))


@damage("hostile")
def stray_value(sheet: Sheet, rng: np.random.Generator, about: Table) -> Change:
    """A number far from the table."""
    place = pick(rng, ((LAST_ROW, LAST_COLUMN), (LAST_ROW, 1), (200_000, 30), (2, LAST_COLUMN)))
    return Change(Book(sheet, stray=((*place, 1.0),)), excused=True)


DAMAGES = tuple(found for found in globals().values() if isinstance(found, Damage))
