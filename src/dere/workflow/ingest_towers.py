"""Read all tower files of some folders and write them as one interim file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dere.config.sources import TowerSource
from dere.ingest.towers import read_towers
from dere.io import write_netcdf, write_table


def ingest_towers(folders: Sequence[Path], config: TowerSource, towers: Path, provenance: Path) -> None:
    """Write ``towers`` and the table of the files behind it.

    Raises
    ------
    FileNotFoundError, ValueError
        As ``dere.ingest.towers.read_towers``.
    """
    dataset, table = read_towers(folders, config)
    write_netcdf(dataset, towers)
    write_table(table, provenance)
