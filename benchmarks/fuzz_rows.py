"""Damage to tables: rows, columns and fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from fuzz_changes import Change, Damage, code, damage, pick
from fuzz_tables import (
    Table,
    emptied,
    fields_of,
    is_number,
    number_column,
    pick_rows,
    put,
    some_rows,
    with_fields,
)

from mutations.tables import Sheet


@damage("harmless")
def columns_in_another_order(sheet: Sheet, rng: np.random.Generator, about: Table) -> Change:
    return Change(sheet.order([int(j) for j in rng.permutation(len(sheet.header))]))


@damage("harmless")
def rows_in_another_order(sheet: Sheet, rng: np.random.Generator, about: Table) -> Change | None:
    return (
        Change(replace(sheet, rows=tuple(pick_rows(sheet, rng.permutation(len(sheet.rows)))))) if about.free else None
    )


@damage("harmless")
def extra_columns(sheet: Sheet, rng: np.random.Generator, about: Table) -> Change:
    at = int(rng.integers(len(sheet.header) + 1))
    texts = ("note", "as measured") if rng.random() < 0.5 else ("SOMETHING_ELSE", "12.5")
    header = (*sheet.header[:at], texts[0], *sheet.header[at:])
    return Change(replace(sheet, header=header, rows=tuple((*row[:at], texts[1], *row[at:]) for row in sheet.rows)))


@damage("harmless")
def missing_of_another_kind(sheet: Sheet, rng: np.random.Generator, about: Table) -> Change:
    column = number_column(sheet, rng, about)
    places = some_rows(sheet, rng)
    text = str(pick(rng, ("-9999", "-9999.0", "-9999.00000", "", "NaN", "NA")))
    return Change(put(sheet, column, places, text), put(sheet, column, places, about.missing), (column,))


@damage("harmless")
def numbers_written_otherwise(sheet: Sheet, rng: np.random.Generator, about: Table) -> Change:
    column = number_column(sheet, rng, about)
    form: Callable[[float], str] = pick(rng, (lambda x: f"{x:.12e}", lambda x: f"{x:+.12f}", lambda x: f" {x:.12f}"))
    return Change(with_fields(sheet, column, [form(float(t)) if is_number(t) else t for t in fields_of(sheet, column)]))


@damage("harmless")
def stamps_as_decimals(sheet: Sheet, rng: np.random.Generator, about: Table) -> Change | None:
    if not about.stamp or not all(text.isdigit() for text in fields_of(sheet, about.stamp)):
        return None
    return Change(with_fields(sheet, about.stamp, [f"{text}.0" for text in fields_of(sheet, about.stamp)]))


@damage("hostile", 4)
def missing_code(sheet: Sheet, rng: np.random.Generator, about: Table) -> Change:
    column = number_column(sheet, rng, about)
    places = some_rows(sheet, rng)
    text = f"{code(rng):g}"
    return Change(put(sheet, column, places, text), put(sheet, column, places, about.missing), (column,))


@damage("hostile", 2)
def text_in_a_number(sheet: Sheet, rng: np.random.Generator, about: Table) -> Change:
    column = number_column(sheet, rng, about)
    text = str(pick(rng, ("abc", "1.2.3", "12 m", "#REF!", "--", "2001-01-01", "true", "0x1F", "3.5*")))
    return Change(put(sheet, column, some_rows(sheet, rng, 1), text), None, (column,))


@damage("hostile")
def column_dropped(sheet: Sheet, rng: np.random.Generator, about: Table) -> Change:
    column = str(pick(rng, (*about.keys, *about.numbers)))
    return Change(sheet.without(column), emptied(sheet, column, about), (column,), lacks=True)


@damage("hostile")
def column_renamed(sheet: Sheet, rng: np.random.Generator, about: Table) -> Change:
    column = str(pick(rng, (*about.keys, *about.numbers)))
    other = str(pick(rng, (f"{column}x", column[:-1] or "x", column.swapcase(), f" {column}", f"{column}_old")))
    if other in sheet.header:
        other = f"{column}_other"
    return Change(sheet.rename(**{column: other}), emptied(sheet, column, about), (column,), lacks=True)


@damage("hostile")
def column_twice(sheet: Sheet, rng: np.random.Generator, about: Table) -> Change:
    column = number_column(sheet, rng, about)
    twice = sheet.order([*range(len(sheet.header)), sheet.column(column)])
    at = len(sheet.header)
    rows = tuple(
        (*row[:at], f"{float(row[at]) * 1.5 + 1:.6g}" if is_number(row[at]) else row[at]) for row in twice.rows
    )
    return Change(replace(twice, rows=rows), None, (column,))


@damage("hostile")
def row_twice(sheet: Sheet, rng: np.random.Generator, about: Table) -> Change:
    source, at = (int(rng.integers(len(sheet.rows))) for _ in range(2))
    row = sheet.rows[source]
    if rng.random() < 0.5:
        column = sheet.column(number_column(sheet, rng, about))
        row = (
            *row[:column],
            f"{float(row[column]) * 1.2 + 0.5:.6g}" if is_number(row[column]) else "1",
            *row[column + 1 :],
        )
    return Change(replace(sheet, rows=(*sheet.rows[:at], row, *sheet.rows[at:])), excused=True)


@damage("hostile")
def rows_out_of_order(sheet: Sheet, rng: np.random.Generator, about: Table) -> Change | None:
    if about.free:
        return None
    turned = sheet.rows[::-1] if rng.random() < 0.5 else pick_rows(sheet, rng.permutation(len(sheet.rows)))
    return Change(replace(sheet, rows=tuple(turned)))


@damage("hostile", 2)
def stamp_shifted(sheet: Sheet, rng: np.random.Generator, about: Table) -> Change | None:
    """One stamp is its neighbour's or no time; or all are a step late, where the name says which years they are."""
    if not about.stamp:
        return None
    fields = fields_of(sheet, about.stamp)
    way, at = int(rng.integers(3 if about.span else 2)), int(rng.integers(1, len(fields)))
    if way == 0:
        fields[at] = fields[at - 1]
        return None if about.free else Change(with_fields(sheet, about.stamp, fields), None, (about.stamp,))
    if way == 1:
        fields[at] = str(pick(rng, ("", "x", "-9999", "0", "99999999", fields[at] + "7", "1e6", "inf")))
        return Change(with_fields(sheet, about.stamp, fields), None, (about.stamp,), lacks=about.free)
    return Change(with_fields(sheet, about.stamp, [*fields[1:], str(int(float(fields[-1])) + 1)]), None, (about.stamp,))


@damage("hostile")
def row_gone(sheet: Sheet, rng: np.random.Generator, about: Table) -> Change | None:
    """A gap within a record is seen; rows of a list of sites nobody can miss."""
    if not about.stamp or about.free or len(sheet.rows) < 4:
        return None
    at = int(rng.integers(1, len(sheet.rows) - 1))
    empty = tuple(
        about.missing if is_number(text) and name not in about.keys else text
        for name, text in zip(sheet.header, sheet.rows[at], strict=True)
    )
    rest = replace(sheet, rows=(*sheet.rows[:at], *sheet.rows[at + 1 :]))
    return Change(rest, replace(sheet, rows=(*sheet.rows[:at], empty, *sheet.rows[at + 1 :])))


@damage("hostile")
def coordinates_exchanged(sheet: Sheet, rng: np.random.Generator, about: Table) -> Change | None:
    if about.places is None:
        return None
    one, other = about.places
    turned = with_fields(sheet, one, fields_of(sheet, other))
    return Change(with_fields(turned, other, fields_of(sheet, one)), None, about.places)


@damage("hostile", 2)
def unit_of_another_kind(sheet: Sheet, rng: np.random.Generator, about: Table) -> Change | None:
    there = {name: how for name, how in about.units.items() if name in sheet.header}
    if not there:
        return None
    column = str(pick(rng, there))
    factor, offset = there[column]
    texts = [f"{float(text) * factor + offset:.8g}" if is_number(text) else text for text in fields_of(sheet, column)]
    return Change(with_fields(sheet, column, texts), None, (column,))


@damage("hostile")
def decimal_commas(sheet: Sheet, rng: np.random.Generator, about: Table) -> Change:
    """As spreadsheets of half of Europe write: 1,5 with semicolons between fields, or in quotes, or mixed up."""
    way = int(rng.integers(3))
    column = number_column(sheet, rng, about) if way == 1 else ""
    names = [column] if column else [name for name in about.numbers if name in sheet.header]
    changed = sheet
    for name in names:
        fields = [text.replace(".", ",") if "." in text else text for text in fields_of(changed, name)]
        changed = with_fields(changed, name, [f'"{text}"' if way else text for text in fields])
    return Change(changed if way else replace(changed, separator=";"), None, tuple(names))


@damage("hostile")
def row_of_another_width(sheet: Sheet, rng: np.random.Generator, about: Table) -> Change:
    at = int(rng.integers(len(sheet.rows)))
    row = sheet.rows[at]
    row = row[: int(rng.integers(1, len(row)))] if rng.random() < 0.5 else (*row, "1")
    # in a workbook a short row has empty cells: it says nothing, and where an older statement counts then, that is said
    return Change(replace(sheet, rows=(*sheet.rows[:at], row, *sheet.rows[at + 1 :])), lacks=True, excused=True)


@damage("hostile", 0.5)
def header_again(sheet: Sheet, rng: np.random.Generator, about: Table) -> Change:
    at = int(rng.integers(len(sheet.rows) + 1))
    return Change(replace(sheet, rows=(*sheet.rows[:at], sheet.header, *sheet.rows[at:])))


@damage("hostile", 0.3)
def very_wide(sheet: Sheet, rng: np.random.Generator, about: Table) -> Change | None:
    if len(sheet.rows) > 40:
        return None
    more = tuple(f"c{number}" for number in range(100_000))
    return Change(
        replace(sheet, header=(*sheet.header, *more), rows=tuple((*row, *("1",) * len(more)) for row in sheet.rows))
    )


DAMAGES = tuple(found for found in globals().values() if isinstance(found, Damage))
