"""Write the first page of a run, and the same for the first page of the report."""

from __future__ import annotations

import base64
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dere.exchange import get
from dere.figures import skill_map
from dere.io import write_atomically
from dere.opening import skill, where
from dere.opening.facts import Facts, Known
from dere.opening.html import html
from dere.opening.model import Link
from dere.opening.page import NEEDED, Tables, build
from dere.tables.declared import plain, table_of
from dere.workflow.shown_tables import read

log = logging.getLogger(__name__)


def write_opening(
    files: Mapping[str, Path],
    page: Path,
    part: Path,
    facts: Mapping[str, Any],
    links: Mapping[str, Sequence[str]],
    others: Mapping[str, str],
    products: Sequence[Path] = (),
) -> None:
    """Write the page of an exchange.

    Parameters
    ----------
    files
        Tables by name (`dere.opening.page.NEEDED`); ``skill`` is needed, the page does without the others.
    page, part
        Files to write: the page, and what the report takes in.
    facts
        From `dere.workflow.opening_plan.facts`.
    links
        Title to files, by their paths from the folder of the page.
    others
        Name of each other exchange to the path of its page.
    products
        What lies in the folder ``products``.

    Raises
    ------
    ValueError, FileNotFoundError
        When a table cannot be read, or lacks a column that the page shows.
    """
    known = Facts(**{**facts, "methods": {name: Known(**one) for name, one in facts["methods"].items()}})
    tables = Tables(**{name: read(path, NEEDED[name]) for name, path in files.items() if name in NEEDED})
    exchange = get(known.exchange)
    place, _ = skill.pooled(tables.skill)
    towers = where.placed(where.towers(tables.site_skill, place, known, exchange.names), tables.roles)
    drawn = exchange.names if len(towers) else ()
    pictures = {flux: data_address(skill_map.png(towers.rename(columns={f"nse_{flux}": "nse"}))) for flux in drawn}
    shown = {title: [link(path) for path in paths] for title, paths in links.items()}
    shown["Products"] = [
        link(f"products/{path.name}") for path in products if path.is_file() and not path.name.startswith(".")
    ]
    beside = [Link(quote(path), name) for name, path in others.items()]
    made = build(known, tables, exchange, pictures, {title: found for title, found in shown.items() if found}, beside)
    for path, whole in ((page, True), (part, False)):
        text = html(made, part=not whole)
        write_atomically(path, lambda temporary, text=text: temporary.write_text(text, encoding="utf-8"))  # type: ignore[misc]
        log.info("%s: %d kB", path.name, len(text) // 1000)


def data_address(png: bytes) -> str:
    """Return a picture as an address that holds it."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def link(path: str) -> Link:
    """Return a file of the run as a link that says what it is."""
    table = table_of(path) if path.endswith((".csv", ".csv.gz")) else None
    return Link(quote(path), path.rpartition("/")[2], plain(table.says) if table else "")
