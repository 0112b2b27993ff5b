"""Read all tower files of some folders and write them as one interim file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dere.config.towers import TowerSource
from dere.ingest.accounts import lines_of, table_of
from dere.ingest.source import Source
from dere.ingest.tower.tower_provenance import DROPPED
from dere.ingest.tower.towers import Towers, read_and_account
from dere.invented import marked
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
    invented: bool = False,
) -> None:
    """Write ``towers``, the table of the files behind it, which of several files of a site was used, and ``sources``.

    The last says of every file and archive member of the folders what became of it (docs/tables.md).

    ``among`` limits the sources that may read the files; every one may when it is None. ``invented`` towers are those
    of the built-in world, which the file then says.

    Raises
    ------
    FileNotFoundError, ValueError
        As ``dere.ingest.tower.towers.read_and_account``; and when sites were dropped and fewer than
        ``config.minimum_sites`` are left.
    """
    found, accounts = read_and_account(folders, config, among=among)
    require_sites(found, config.minimum_sites)
    write_netcdf(found.dataset.assign_attrs(marked(["towers"] * invented)), towers)
    write_table(found.provenance, provenance)
    write_table(found.merged, merged)
    write_table(table_of(accounts), sources)
    for line in lines_of("towers", accounts):
        say(line)


def require_sites(found: Towers, minimum: int) -> None:
    """Check that enough sites are left where any was dropped.

    Raises
    ------
    ValueError
        Names both numbers and the first reason.
    """
    left = set(found.dataset["site"].values.astype(str))
    rows = found.provenance
    # tables of metadata have no site
    of_towers = rows["site"].notna() & ~rows["site"].isin(left)
    lost = rows[rows["role"].astype(str).str.startswith(DROPPED) & of_towers]
    if len(left) >= minimum or lost.empty:
        return
    sites = lost["site"].nunique() or len(lost)
    raise ValueError(
        f"{len(left)} sites are left after {sites} {'was' if sites == 1 else 'were'} dropped "
        f"({str(lost['role'].iloc[0]).removeprefix(DROPPED)}), but at least {minimum} are needed; correct the files, "
        "or lower sources.towers.minimum_sites"
    )
