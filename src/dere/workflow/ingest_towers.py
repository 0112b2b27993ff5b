"""Read all tower files of some folders and write them as one interim file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dere.config.towers import TowerSource
from dere.ingest.accounts import lines_of, table_of
from dere.ingest.source import Source
from dere.ingest.tower.towers import read_and_account
from dere.io import write_netcdf, write_table
from dere.workflow.script import say


def ingest_towers(
    folders: Sequence[Path],
    config: TowerSource,
    towers: Path,
    provenance: Path,
    merged: Path,
    sources: Path,
    among: Sequence[Source] | None = None,
) -> None:
    """Write ``towers``, the table of the files behind it, which of several files of a site was used, and ``sources``.

    The last says of every file and archive member of the folders what became of it (docs/tables.md).

    ``among`` limits the sources that may read the files; every one may when it is None.

    Raises
    ------
    FileNotFoundError, ValueError
        As ``dere.ingest.tower.towers.read_and_account``.
    """
    found, accounts = read_and_account(folders, config, among=among)
    write_netcdf(found.dataset, towers)
    write_table(found.provenance, provenance)
    write_table(found.merged, merged)
    write_table(table_of(accounts), sources)
    for line in lines_of("towers", accounts):
        say(line)
