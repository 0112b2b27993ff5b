"""Read all tower files of some folders and write them as one interim file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dere.config.towers import TowerSource
from dere.ingest.source import Source
from dere.ingest.tower.towers import read_towers
from dere.invented import marked
from dere.io import write_netcdf, write_table


def ingest_towers(
    folders: Sequence[Path],
    config: TowerSource,
    towers: Path,
    provenance: Path,
    merged: Path,
    among: Sequence[Source] | None = None,
    invented: bool = False,
) -> None:
    """Write ``towers``, the table of the files behind it, and which of several files of a site was used.

    ``among`` limits the sources that may read the files; every one may when it is None. ``invented`` towers are those
    of the built-in world, which the file then says.

    Raises
    ------
    FileNotFoundError, ValueError
        As ``dere.ingest.tower.towers.read_towers``.
    """
    found = read_towers(folders, config, among=among)
    write_netcdf(found.dataset.assign_attrs(marked(["towers"] * invented)), towers)
    write_table(found.provenance, provenance)
    write_table(found.merged, merged)
