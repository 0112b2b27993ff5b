"""The table of hours in a database of CarbonSense, as texts that damages change."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
from fuzz_tables import is_number

from mutations.tables import Sheet

KINDS = {"site": "TEXT", "timestamp": "INTEGER"}
NO_TEXT = ("row of another width", "header again", "very wide", "column twice", "decimal commas", "stamps as decimals")
"""Damages that only a text can have."""


def load(path: Path) -> Sheet:
    """The rows of ``ec_data``; '' is NULL."""
    with closing(sqlite3.connect(path)) as connection:
        table = pd.read_sql("SELECT * FROM ec_data", connection).drop(columns="id")
    texts = table.astype(object).where(table.notna(), "").astype(str)
    return Sheet(tuple(map(str, texts.columns)), tuple(map(tuple, texts.to_numpy().tolist())))


def save(sheet: Sheet, path: Path) -> None:
    """Put these rows in place of those of the database; it takes text where a number belongs, as SQLite does."""
    columns = ", ".join(f'"{name}" {KINDS.get(name, "REAL")}' for name in sheet.header)
    places = ", ".join("?" * len(sheet.header))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE ec_data")
        connection.execute(f"CREATE TABLE ec_data (id INTEGER PRIMARY KEY, {columns})")
        names = ", ".join(f'"{name}"' for name in sheet.header)
        rows = [[value(text) for text in row] for row in sheet.rows]
        connection.executemany(f"INSERT INTO ec_data ({names}) VALUES ({places})", rows)


def value(text: str) -> float | str | None:
    """A field as a program would store it."""
    if is_number(text) or text.lstrip("+-").lower() in ("inf", "1e999"):
        return float(text)
    return text or None
