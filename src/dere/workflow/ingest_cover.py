"""Read plant-type maps, stand ages and the towers' own tables of both, and write them as one interim file."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import xarray as xr

from dere.config.cover import AgeSource, CoverSource
from dere.harmonise.interim import Cover, pack_cover
from dere.ingest.accounts import accounts_of_folder
from dere.ingest.cover import age_table_source, esacci_source
from dere.ingest.cover.age_weights import read_site_age_weights
from dere.ingest.cover.esacci import aggregated_maps, read_cover, read_site_plant_types
from dere.ingest.cover.esacci_names import fine_maps, version_of
from dere.ingest.cover.stand_ages import find_ages
from dere.ingest.provenance import provenance_of
from dere.ingest.source import Source, source_called
from dere.invented import marked
from dere.io import read_netcdf, write_netcdf, write_table
from dere.workflow.told_accounts import tell

log = logging.getLogger(__name__)


def ingest_cover(
    folder: Path | None,
    tower_folders: Sequence[Path],
    ages: Sequence[int],
    config: CoverSource,
    cover: Path,
    provenance: Path,
    sources: Path,
    made: Sequence[Path] = (),
    pixels: Path | None = None,
    degrees: float = 0.5,
    sites: Path | None = None,
    forcing: Path | None = None,
    memory: int | None = None,
    among: Sequence[Source] | None = None,
    invented: bool = False,
) -> None:
    """Write ``cover`` (see ``dere.harmonise.interim.pack_cover``) and the table of the files behind it.

    Parameters
    ----------
    folder
        Yearly maps and the stand ages by cell; None = there are no maps.
    tower_folders
        May hold tables of plant types and stand ages by site.
    ages
        Stand ages of the simulation, in years, in the order of the weight columns.
    config
        Which types count, and where the stand ages are.
    cover, provenance, sources
        Files to write; the last says of every file of ``folder`` what became of it (docs/tables.md).
    made
        Aggregated maps that were made of 300 m maps in ``folder``.
    pixels
        Plant types at towers, read from the 300 m maps; they go before a site's own table.
    degrees
        Cell size of the run, as far as it is known without its simulation.
    sites
        Interim towers, which keep their cells of finer maps; None = maps stay on their own grid.
    forcing
        Interim forcing, whose grid is the run's.
    memory
        Bytes that the job may use; None = everything fits.
    among
        Sources that may read the stand ages of cells; every one when None.
    invented
        Maps or towers are those of the built-in world, which the file then says.

    Raises
    ------
    FileNotFoundError
        When the maps or their stand ages are missing.
    ValueError
        When a file is truncated, breaks its format, or does not fit the memory.
    """
    maps = maps_read(folder, made, pixels is not None) if folder else []
    types = existing(tower_folders, esacci_source.SITE_TABLE)
    site_ages = existing(tower_folders, age_table_source.SITE_TABLE)
    rule = (config.include_crops, config.classes.model_dump(), config.renormalise)
    cells = run_degrees(forcing, degrees) if sites else None
    towers = places(sites) if sites else None
    age_map = ages_of_cells(config.age, folder, among)
    tables = Cover(
        grid=read_cover(folder, *rule, made, cells, towers, memory) if folder else None,
        grid_ages=read_ages(*age_map, ages, degrees, config.age) if age_map else None,
        sites=with_pixels(
            joined(types, lambda path: read_site_plant_types(path, *rule)),
            read_site_plant_types(pixels, *rule) if pixels and has_rows(pixels) else None,
        ),
        site_ages=joined(site_ages, lambda path: read_site_age_weights(path, ages)),
    )
    write_netcdf(pack_cover(tables).assign_attrs(marked(["cover"] * invented)), cover)
    files = {esacci_source.PRODUCT: [*maps, *types], age_table_source.PRODUCT: list(site_ages)}
    if age_map:
        product = age_map[0].products[0]
        files[product] = [age_map[1], *files.get(product, [])]
    write_table(provenance_of(files, versions={path.name: version_of(path.name) for path in maps}), provenance)
    read = {path.name: ("cover", product.title) for product, paths in files.items() for path in paths}
    accounts = (
        accounts_of_folder(folder, read, [path.name for path in fine_maps(folder.glob("*.nc")).values()])
        if folder
        else []
    )
    tell(log, "cover", accounts, sources)
    log.info(
        "%d maps (%d aggregated by this run), %d tables of plant types by site, %d tables of ages by site, %s",
        len(maps),
        len(made),
        len(types),
        len(site_ages),
        f"stand ages of cells from {age_map[1].name} ({age_map[0].name})" if age_map else "no stand ages of cells",
    )


def maps_read(folder: Path, made: Sequence[Path], at_towers: bool) -> list[Path]:
    """Plant-type maps that a run reads: aggregated ones, and 300 m ones that it aggregates or samples at towers.

    Parameters
    ----------
    folder, made
        As for :func:`ingest_cover`.
    at_towers
        Whether towers take pixels of the 300 m maps, of every year then.

    Raises
    ------
    FileNotFoundError, ValueError
        As ``dere.ingest.cover.esacci.aggregated_maps`` and ``dere.ingest.cover.esacci_names.fine_maps``.
    """
    aggregated = aggregated_maps(folder, made)
    fine = fine_maps(folder.glob("*.nc"))
    own = {year for year, path in aggregated.items() if path in made}
    sampled = [path for year, path in fine.items() if at_towers or year in own]
    return sorted([*(path for year, path in aggregated.items() if year not in own), *sampled])


def run_degrees(forcing: Path | None, otherwise: float) -> float:
    """Cell size of the simulation; ``otherwise`` where there is none or its cells are no grid."""
    if forcing is None:
        return otherwise
    with read_netcdf(forcing, load=False) as dataset:
        return float(dataset.attrs["grid_degrees"]) or otherwise


def places(sites: Path) -> pd.DataFrame:
    """SITE_ID, lat and lon of interim towers."""
    with read_netcdf(sites, load=False) as dataset:
        return pd.DataFrame(
            {name: dataset[of].values for name, of in (("SITE_ID", "site"), ("lat", "lat"), ("lon", "lon"))}
        )


def ages_of_cells(
    config: AgeSource, folder: Path | None, among: Sequence[Source] | None = None
) -> tuple[Source, Path] | None:
    """Source and file of the stand ages of cells; None where nothing was asked for and nothing lies beside the maps.

    Towers then take the stated table of their class; a run with grid cells ends in harmonise's sentence.

    Raises
    ------
    FileNotFoundError, ValueError
        As ``dere.ingest.cover.stand_ages.find_ages`` when a path or a format is given, or names are ambiguous.
    """
    if not folder and not config.path:
        return None
    try:
        name, path = find_ages(config, folder, among)
    except FileNotFoundError as error:
        if config.path or config.format != "auto":
            raise
        log.warning("%s; towers take the stated ages of their class, grid cells have none", error)
        return None
    return source_called("cover", name, among), path


def read_ages(source: Source, path: Path, ages: Sequence[int], degrees: float, config: AgeSource) -> xr.Dataset:
    """Weights of stand ages, with the leaves of ``sources.cover.age`` that their source reads.

    Returns
    -------
    xarray.Dataset
        ``age_weight`` (point, age) from a table, else (lat, lon, age) with NaN where there is no forest.
    """
    read = source.reader()
    found: xr.Dataset = read(path, ages, degrees, **{leaf: getattr(config, leaf) for leaf in source.options})
    return found


def has_rows(path: Path) -> bool:
    """Tell whether a table holds more than its header: no site may lie in the maps."""
    return len(path.read_text(encoding="utf-8").splitlines()) > 1


def with_pixels(tables: xr.Dataset | None, pixels: xr.Dataset | None) -> xr.Dataset | None:
    """Put rows read from the 300 m maps before the sites' own tables; ``cover_source`` (site) says which.

    A table of other years takes the nearest year for each year of the maps, as harmonise does.
    """
    if pixels is None:
        return tables
    pixels = pixels.assign(cover_source=("site", ["pixels"] * pixels.sizes["site"]))
    if tables is None:
        return pixels
    rest = tables.sel(site=[site for site in tables["site"].values if site not in set(pixels["site"].values)])
    rest = rest.sel(year=pixels["year"], method="nearest").assign_coords(year=pixels["year"])
    rest = rest.assign(cover_source=("site", ["own"] * rest.sizes["site"]))
    return xr.concat([pixels, rest], dim="site", data_vars="minimal", coords="minimal")


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
