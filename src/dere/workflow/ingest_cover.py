"""Read plant-type maps, stand ages and the towers' own tables of both, and write them as one interim file."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import xarray as xr

from dere.config.sources import CoverSource
from dere.harmonise.interim import Cover, pack_cover
from dere.ingest.age_weights import read_grid_age_weights, read_site_age_weights
from dere.ingest.esacci import read_cover, read_site_plant_types
from dere.ingest.provenance import provenance_of
from dere.io import write_netcdf, write_table

log = logging.getLogger(__name__)

GRID_AGES = "lat_lon_age_weights.csv"
SITE_TYPES = "site_plant_types.csv"
SITE_AGES = "site_age_weights.csv"


def ingest_cover(
    folder: Path | None,
    tower_folders: Sequence[Path],
    ages: Sequence[int],
    config: CoverSource,
    cover: Path,
    provenance: Path,
) -> None:
    """Write ``cover`` (see ``dere.harmonise.interim.pack_cover``) and the table of the files behind it.

    Parameters
    ----------
    folder
        Yearly maps and the table of stand ages by cell; None = there are no maps.
    tower_folders
        May hold tables of plant types and stand ages by site.
    ages
        Stand ages of the simulation, in years, in the order of the weight columns.
    config
        Which types count.
    cover, provenance
        Files to write.

    Raises
    ------
    FileNotFoundError
        When the maps or their table of ages are missing.
    ValueError
        When a file is truncated or breaks its format.
    """
    maps = sorted(folder.glob("ESACCI*.nc")) if folder else []
    types = existing(tower_folders, SITE_TYPES)
    site_ages = existing(tower_folders, SITE_AGES)
    tables = Cover(
        grid=read_cover(folder, config.include_crops) if folder else None,
        grid_ages=read_grid_age_weights(folder / GRID_AGES, ages) if folder else None,
        sites=joined(types, lambda path: read_site_plant_types(path, config.include_crops)),
        site_ages=joined(site_ages, lambda path: read_site_age_weights(path, ages)),
    )
    write_netcdf(pack_cover(tables), cover)
    age_tables = [*([folder / GRID_AGES] if folder else []), *site_ages]
    write_table(provenance_of({"esacci-pft": [*maps, *types], "age-weights": age_tables}), provenance)
    log.info("%d maps, %d tables of plant types by site, %d tables of ages", len(maps), len(types), len(age_tables))


def existing(folders: Sequence[Path], name: str) -> list[Path]:
    """Return the files called ``name`` below the folders."""
    return [path for folder in folders for path in sorted(Path(folder).rglob(name))]


def joined(paths: Sequence[Path], read: Callable[[Path], xr.Dataset]) -> xr.Dataset | None:
    """Read several site tables below each other; None without a file.

    Raises
    ------
    ValueError
        When a site stands in two tables.
    """
    if not paths:
        return None
    table = xr.concat([read(path) for path in paths], dim="site", data_vars="minimal", coords="minimal")
    sites = table.indexes["site"]
    if sites.has_duplicates:
        twice = sites[sites.duplicated()][0]
        raise ValueError(
            f"site {twice} stands in more than one of {', '.join(map(str, paths))}, one entry is expected; remove one"
        )
    return table
