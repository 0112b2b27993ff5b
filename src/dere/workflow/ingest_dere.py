"""Read cells, cover and towers of the DERE arrays and write them as interim files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from dere.config.simulation import SimulationSource
from dere.harmonise.interim import Cover, pack_cover
from dere.ingest.accounts import accounts_of_folder, table_of
from dere.ingest.arrays.dere_cover import read_cover
from dere.ingest.arrays.dere_provenance import CELL_COVER, TOWERS, provenance_of
from dere.ingest.arrays.dere_source import SOURCES
from dere.ingest.arrays.dere_towers import read_towers
from dere.io import write_netcdf, write_table


def ingest_cover(config: SimulationSource, cover: Path, provenance: Path, sources: Path) -> None:
    """Write the plant fractions and age weights of cells and towers, what is behind them, and what became of each file.

    Raises
    ------
    FileNotFoundError, ValueError
        As ``dere.ingest.arrays.dere_cover.read_cover``.
    """
    read = read_cover(Path(config.path), config)
    write_netcdf(pack_cover(Cover(sites=read.sites, site_ages=read.site_ages, cells=read.cells)), cover)
    write_table(provenance_of(config, CELL_COVER), provenance)
    write_table(_accounts(config, CELL_COVER), sources)


def ingest_towers(config: SimulationSource, towers: Path, provenance: Path, merged: Path, sources: Path) -> None:
    """Write the towers, the table of the files behind them, that of merged sites (each has one here), and ``sources``.

    Raises
    ------
    FileNotFoundError, ValueError
        As ``dere.ingest.arrays.dere_towers.read_towers``.
    """
    dataset = read_towers(Path(config.path), config)
    write_netcdf(dataset, towers)
    write_table(provenance_of(config, TOWERS), provenance)
    names = dataset["site"].values.astype(str)
    columns = {"file": dataset["source"].values, "processing": dataset["processing"].values}
    table = pd.DataFrame({"site": names, **columns, "used": True, "reason": "the arrays hold each tower once"})
    write_table(table, merged)
    write_table(_accounts(config, TOWERS), sources)


def _accounts(config: SimulationSource, kinds: tuple[str, ...]) -> pd.DataFrame:
    """What became of every file of the arrays' folder; the simulation's own job warns of those that nobody reads."""
    (source,) = SOURCES
    read = {str(row.file): (source.name, str(row.product)) for row in provenance_of(config, kinds).itertuples()}
    return table_of(accounts_of_folder(Path(config.path), read, known=source))
