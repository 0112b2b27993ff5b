"""docs/knowledge.md lists the channels of the table, and no others."""

import re
from pathlib import Path

from dere.knowledge.terms import TERMS

PAGE = Path(__file__).parents[3] / "docs" / "knowledge.md"


def row(term):
    marks = [name for name, on in (("satellites", term.needs_satellites), ("ahead", term.looks_ahead)) if on]
    marks += ["place"] * term.of_place
    return f"| {term.group} | `{term.name}` | {term.long_name} | {term.unit} | {term.source} | {', '.join(marks)} |"


def test_the_page_has_the_table():
    found = re.findall(r"^\| [a-z ]+ \| `.*$", PAGE.read_text(), re.MULTILINE)
    assert found == [row(term) for term in TERMS]
