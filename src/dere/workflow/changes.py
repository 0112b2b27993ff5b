"""Write what a run dropped, filled or replaced: a table, and its part of the report's first page."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from dere.harmonise import changes as found
from dere.harmonise.changes import Change
from dere.io import read_netcdf, write_atomically, write_table

TITLE = "What was dropped, filled or replaced"


def write_changes(files: Mapping[str, Path], exchanges: Sequence[str], table: Path, page: Path) -> None:
    """Write ``tables/changes.csv`` and a piece of HTML that says the same.

    Parameters
    ----------
    files
        ``sources_towers``, ``sources_cover`` and, with a simulation in files, ``sources_simulation``; ``merged``,
        ``provenance``; of each exchange ``counts_<exchange>`` and ``towers_<exchange>``; with imputation ``labels``.
    exchanges
        The run's; the first is that of the canonical set.
    table, page
        Files to write.
    """
    rows: list[Change] = []
    for source in ("simulation", "cover", "towers"):
        if path := files.get(f"sources_{source}"):
            rows += found.of_files(f"ingest_{source}", read(path), f"tables/{path.name}")
    rows += found.of_merged(read(files["merged"]))
    for number, exchange in enumerate(exchanges):
        rule, folder = ("harmonise", "data") if number == 0 else (f"harmonise_{exchange}", f"{exchange}/data")
        towers = read_netcdf(files[f"towers_{exchange}"], load=False)
        if number == 0:
            rows += found.of_sites(read(files["provenance"]), towers["site"].values.astype(str).tolist())
        counts = read(files[f"counts_{exchange}"])
        rows += found.of_months(rule, counts, f"{folder}/counts.csv")
        rows += found.of_towers(rule, towers, counts, f"{folder}/towers.nc")
    if path := files.get("labels"):
        rows += found.of_labels(read_netcdf(path, load=False), "/".join(path.parts[-4:]))
    made = found.table_of(rows)
    write_table(made, table)
    write_atomically(page, lambda temporary: temporary.write_text(page_of(found.changes_in(made)), encoding="utf-8"))


def read(path: Path) -> pd.DataFrame:
    """Read a table whose texts may be empty, as it may be itself."""
    if not path.read_text(encoding="utf-8").strip():
        return pd.DataFrame()
    return pd.read_csv(path, dtype={name: str for name in ("site", "file", "member", "why", "what", "role", "dropped")})


def page_of(changes: Sequence[Change]) -> str:
    """Return changes as a piece of HTML."""
    if not changes:
        return f"<p>{found.NOTHING}</p>\n"
    items = "\n".join(
        f"<li><b>{html.escape(change.kind)}</b> {html.escape(str(change))}; "
        f"<code>{html.escape(change.where)}</code></li>"
        for change in changes
    )
    return f"<ul>\n{items}\n</ul>\n"
