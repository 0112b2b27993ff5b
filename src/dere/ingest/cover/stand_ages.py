"""Stand ages of map cells from whichever file there is: a table of weights, GFAD, or the MPI-BGC map."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import xarray as xr

from dere.config.cover import AgeSource
from dere.ingest.cover.age_weights import read_grid_age_weights
from dere.ingest.cover.forest_age import read_gfad, read_mpi_bgc

log = logging.getLogger(__name__)

PATTERNS = {"table": "lat_lon_age_weights.csv", "gfad": "GFAD_V1-1.nc", "mpi_bgc": "*BGIForestAgeMPIBGC*.nc"}
"""Names of the files of each format."""
PRODUCTS = {"table": "age-weights", "gfad": "gfad", "mpi_bgc": "mpi-bgc-forest-age"}
"""Key of each format in the table of licences."""


def find_ages(config: AgeSource, maps: Path | None) -> tuple[str, Path]:
    """Format and file of the stand ages.

    Parameters
    ----------
    config
        Format and path.
    maps
        Folder of the plant-type maps, the place to look where no path is given.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ValueError
        When there are several, or a file's format cannot be told from its name.
    """
    place = Path(config.path) if config.path else maps
    if place is None or not place.exists():
        raise FileNotFoundError(f"{place} does not exist, but stand ages are needed; correct sources.cover.age.path")
    wanted = list(PATTERNS) if config.format == "auto" else [config.format]
    if place.is_file():
        fitting = [name for name in wanted if place.match(PATTERNS[name])]
        if config.format == "auto" and len(fitting) != 1:
            raise ValueError(
                f"{place.name} is not named like stand ages ({', '.join(PATTERNS.values())}); set "
                "sources.cover.age.format"
            )
        return (fitting or wanted)[0], place
    found = [(name, path) for name in wanted for path in sorted(place.glob(PATTERNS[name]))]
    if len(found) > 1:
        raise ValueError(
            f"{place} holds {' and '.join(path.name for _, path in found)}, but one file of stand ages is expected; "
            "set sources.cover.age.format or its path"
        )
    if not found:
        packed = any(place.glob("GFAD*.zip"))
        raise FileNotFoundError(
            f"{place} holds no stand ages ({', '.join(PATTERNS[name] for name in wanted)}); "
            + ("unpack GFAD_V1-1.zip" if packed else "put one there or set sources.cover.age.path")
        )
    return found[0]


def read_ages(form: str, path: Path, ages: Sequence[int], degrees: float, tree_cover: int) -> xr.Dataset:
    """Weights of stand ages.

    Parameters
    ----------
    form, path
        As from :func:`find_ages`.
    ages
        Stand ages of the run.
    degrees
        Cell size of the run, onto which finer maps are averaged.
    tree_cover
        Least tree cover in percent of the pixels that count (MPI-BGC only).

    Returns
    -------
    xarray.Dataset
        ``age_weight`` (point, age) from a table, else (lat, lon, age) with NaN where there is no forest.
    """
    if form == "gfad":
        return read_gfad(path, ages, degrees)
    if form == "mpi_bgc":
        return read_mpi_bgc(path, ages, degrees, tree_cover)
    return read_grid_age_weights(path, ages)
