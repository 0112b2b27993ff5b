"""Words that commands share, and what they print: aligned columns for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

files_argument = click.argument("files", nargs=-1, type=click.Path(path_type=Path))
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of texts as lines, every column but the last as wide as its longest text."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def as_text(value: Any) -> str:
    """Return a value of a table: yes and no, lists with commas, or semicolons where commas stand in their texts."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, (list, tuple)):
        return str(value)
    texts = [str(one) for one in value]
    return ("; " if any("," in text for text in texts) else ", ").join(texts)


def to_json(content: Any) -> str:
    """Return JSON that people can read too."""
    return json.dumps(content, indent=1, ensure_ascii=False)


def print_records(records: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    """Print records of the same keys, as JSON or as a table with the keys as its header."""
    if as_json:
        click.echo(to_json(records))
    else:
        header = [key.replace("_", " ") for key in records[0]]
        click.echo(table([header, *([as_text(value) for value in record.values()] for record in records)]))
