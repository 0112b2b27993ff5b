"""Write what a run dropped, filled or replaced: a table, and its part of the report's first page."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from dere.harmonise import changes as found
from dere.harmonise.changes import Change
from dere.io import read_netcdf, write_atomically, write_table
from dere.workflow.targets import prefix, suffix


def write_changes(files: Mapping[str, Path], exchange: str, table: Path, page: Path) -> None:
    """Write ``tables/changes.csv`` of an exchange and a piece of HTML that says the same.

    Parameters
    ----------
    files
        ``counts`` and ``towers`` of the exchange; of that of the canonical set also ``sources_towers``,
        ``sources_cover`` and, with a simulation in files, ``sources_simulation``, ``merged`` and ``provenance``; with
        imputation ``labels``.
    exchange
        Its name.
    table, page
        Files to write.
    """
    rows: list[Change] = []
    for source in ("simulation", "cover", "towers"):
        if path := files.get(f"sources_{source}"):
            rows += found.of_files(f"ingest_{source}", read(path), f"tables/{path.name}")
    towers, counts = read_netcdf(files["towers"], load=False), read(files["counts"])
    if "merged" in files:
        rows += found.of_merged(read(files["merged"]))
        rows += found.of_sites(read(files["provenance"]), towers["site"].values.astype(str).tolist())
    rule, folder = f"harmonise{suffix(exchange)}", f"{prefix(exchange)}data"
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
        f"<li><b>{html.escape(change.kind)}</b> {html.escape(str(change))}; <i>{html.escape(change.where)}</i></li>"
        for change in changes
    )
    return f"<ul>\n{items}\n</ul>\n"
