"""The table of hours in a database of CarbonSense, as texts that damages change."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import collection_samples
import pandas as pd
from fuzz_tables import is_number

from mutations.tables import Sheet


def load(path: Path) -> Sheet:
    """The rows of ``ec_data``; '' is NULL."""
    with closing(sqlite3.connect(path)) as connection:
        table = pd.read_sql("SELECT * FROM ec_data", connection).drop(columns="id")
    texts = table.astype(object).where(table.notna(), "").astype(str)
    return Sheet(tuple(map(str, texts.columns)), tuple(map(tuple, texts.to_numpy().tolist())))


def save(sheet: Sheet, path: Path) -> None:
    """Write a database whose rows are these: numbers as numbers, what is none as it is, for SQLite takes both."""
    path.unlink()
    rows = [[value(text) for text in row] for row in sheet.rows]
    collection_samples.write_carbonsense_sql(path, pd.DataFrame(rows, columns=list(sheet.header), dtype=object))


def value(text: str) -> float | str | None:
    """A field as a program would store it."""
    if is_number(text) or text.lstrip("+-").lower() in ("inf", "1e999"):
        return float(text)
    return text or None
