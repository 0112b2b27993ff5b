"""Columns of scores: what each score declares of itself takes the place of ``@scores``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dere.evaluation.metrics import METRICS
from dere.tables.declared import SCORES, Column, Table

_BETTER = {"lower": "the lower the better", "higher": "the higher the better", "zero": "best at 0", "one": "best at 1"}


def with_scores(table: Table) -> Table:
    """Return a table with a column for every score where it has scores."""
    scores = [Column((name,), f"{m.label}; {_BETTER[m.better]}", m.unit) for name, m in METRICS.items()]
    columns = [one for column in table.columns for one in (scores if SCORES in column.names else [column])]
    return replace(table, columns=tuple(columns))


def undeclared(table: Table, names: Iterable[str]) -> list[str]:
    """Return those of the columns of a file of which nothing is declared."""
    whole = with_scores(table)
    return [name for name in names if whole.column(name) is None]
