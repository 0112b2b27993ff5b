"""docs/tables.md names the columns of every table that has a schema, and no other."""

import re
from pathlib import Path

import pytest

from dere import exchange
from dere.evaluation import imputation_table
from dere.evaluation.schemas import TABLES, schema
from dere.run_config.root import normalise
from dere.workflow import targets

DOCS = Path(__file__).parents[3] / "docs"
REFERENCES = list(targets.references(normalise({})))
CO2 = exchange.get(exchange.DEFAULT)
SCHEMAS = {name: schema(name, CO2, REFERENCES) for name in TABLES} | {"imputation": imputation_table.schema(CO2)}
PAGES = {name: "comparison.md" if name == "comparison" else "tables.md" for name in SCHEMAS}
# beside the schema: where a total comes from; the intervals of three ratios, named by a pattern
OTHER = {"totals": {"source"}}
PATTERNS = {"ratio_*_low": "ratio_{}_low", "ratio_*_high": "ratio_{}_high"}


def documented(name):
    """Return the names in the first cells of the table of columns of ``name``."""
    text = (DOCS / PAGES[name]).read_text()
    section = text if name == "comparison" else re.split(rf"^## `{name}\.csv`$", text, flags=re.M)[1]
    rows = re.search(r"^\| column .*\n\|[-|]+\n((?:\|.*\n?)+)", section, re.M)[1]
    names = {word for row in rows.splitlines() for word in re.findall(r"`([^`]+)`", row.split(" | ")[0])}
    for pattern, form in PATTERNS.items():
        if pattern in names:
            names = names - {pattern} | {form.format(r) for r in REFERENCES}
    return names


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_column_is_documented_and_exists(name):
    key = {"method", "backbone", "grouping", "flux"} if name == "comparison" else set()
    assert documented(name) | key == set(SCHEMAS[name].columns) | OTHER.get(name, set())


def test_every_table_is_listed():
    text = (DOCS / "tables.md").read_text()
    assert all(f"| `{name}.csv` |" in text for name in SCHEMAS)
