"""ESA CCI plant functional types, aggregated maps and pixel tables (Harper and others 2023).

Fourteen layers in percent that sum to 100 (doi 10.5194/essd-15-1465-2023); ``esacci_year`` reads one year's map,
``esacci_classes`` makes plant fractions of layers, ``esacci_aggregate`` makes aggregated maps of the 300 m ones,
``esacci_towers`` the pixel table.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.ingest.cover.esacci_classes import CLASSES, LAYERS, fractions, land_fraction, normalise_layers
from dere.ingest.cover.esacci_names import is_aggregated, year_of
from dere.ingest.cover.esacci_year import YearMap, averaged, read_year
from dere.ingest.tables import numeric, read_table, require_columns
from dere.ingest.tower.site_ids import ALIASES
from dere.variables import PLANT_TYPES, VARIABLES

log = logging.getLogger(__name__)

LAYER_ATTRIBUTES = {"long_name": "share of each ESA CCI layer, mean of the years", "units": "1"}


def read_cover(
    folder: Path,
    include_crops: bool,
    classes: Mapping[str, Sequence[str]] = CLASSES,
    renormalise: bool = True,
    made: Sequence[Path] = (),
    degrees: float | None = None,
    towers: pd.DataFrame | None = None,
    memory: int | None = None,
) -> xr.Dataset:
    """Read every yearly aggregated map of a folder, one after the other.

    Parameters
    ----------
    folder
        Holds ``ESACCI-LC-L4-PFT-Map-300m-P1Y-aggregated-{YYYY}-v*.nc``; maps at 300 m may lie beside them.
    include_crops
        Count managed grass as grass and shrub.
    classes
        Layers of each plant type.
    renormalise
        Fractions of the vegetated part; otherwise shares of the land.
    made
        Aggregated maps that were made of 300 m maps; a year that the folder has aggregated is not taken from here.
    degrees
        Cell size of the run: finer maps whose cells fill its cells evenly become means over these; None = maps stay
        as they are.
    towers
        SITE_ID, lat, lon of the towers, which keep the cell of the finer map that holds them.
    memory
        Bytes that the job may use; None = everything fits.

    Returns
    -------
    xarray.Dataset
        In single precision: ``plant_fraction`` (year, lat, lon, plant_type), NaN without vegetation;
        ``vegetated_fraction`` (year, lat, lon) of the land, NaN without land; ``land_fraction`` (year, lat, lon) of
        the cell, 1 - WATER; ``layer_fraction`` (lat, lon, layer) of the cell, mean of the years. Latitude runs from
        north to south. Where a map became means, also ``tower_plant_fraction`` (tower, year, plant_type) and
        ``tower_vegetated_fraction`` (tower, year) of the original map, NaN where it has no land there.

    Raises
    ------
    FileNotFoundError
        When the folder is missing.
    ValueError
        No map, two maps of one year, different grids, a map too large for the memory, and all that
        :func:`dere.ingest.cover.esacci_year.parse_map` checks.
    """
    maps = aggregated_maps(folder, made)
    for name in sorted(path.name for path in Path(folder).glob("*.nc") if year_of(path.name) is None):
        # stand ages may lie beside the maps, a misspelt map may not go unnoticed
        level = logging.WARNING if "PFT" in name.upper() else logging.INFO
        log.log(level, "%s: not named like a plant-type map, ignored", name)
    shares = partial(fractions, include_crops=include_crops, classes=classes, renormalise=renormalise)
    places = pd.DataFrame({"SITE_ID": [], "lat": [], "lon": []}) if towers is None else towers
    lat, lon = places["lat"].to_numpy(float), places["lon"].to_numpy(float)
    kept: _Years | None = None
    at_towers, finer = [], False
    for index, path in enumerate(maps.values()):
        one = read_year(path, degrees, len(maps), memory)
        at_towers.append(shares(one.at_points(lat, lon)))
        if one.cells is not None:
            log.info("%s: %d x %d cells averaged to %g degrees", path.name, len(one.lat), len(one.lon), degrees)
            one, finer = averaged(one), True
        if kept is None:
            kept = _Years.empty(len(maps), one)
        if not (np.array_equal(kept.lat, one.lat) and np.array_equal(kept.lon, one.lon)):
            raise ValueError(
                f"{path.name} has another grid than the first map of {folder}, but all years need one grid; aggregate "
                "them alike"
            )
        kept.add(index, one, shares)
        # before the next one is read
        del one
    assert kept is not None
    about = plant_fraction_attributes(renormalise)
    dataset = kept.dataset(list(maps), about).assign_attrs(include_crops=int(include_crops))
    if not finer or towers is None:
        return dataset
    share, vegetated = (np.stack(values, axis=1).astype(np.float32) for values in zip(*at_towers, strict=True))
    return dataset.assign(
        tower_plant_fraction=(("tower", "year", "plant_type"), share, about),
        tower_vegetated_fraction=(("tower", "year"), vegetated, VARIABLES["vegetated_fraction"].attrs),
    ).assign_coords(tower=places["SITE_ID"].astype(str).to_numpy(object))


@dataclass(frozen=True)
class _Years:
    """What is kept of the maps of all years, in single precision."""

    lat: NDArray
    lon: NDArray
    plants: NDArray[np.float32]
    vegetated: NDArray[np.float32]
    land: NDArray[np.float32]
    layers: NDArray[np.float32]

    @classmethod
    def empty(cls, years: int, first: YearMap) -> _Years:
        shape = (len(first.lat), len(first.lon))
        plants = np.empty((years, *shape, len(PLANT_TYPES)), np.float32)
        vegetated, land = (np.empty((years, *shape), np.float32) for _ in range(2))
        return cls(first.lat, first.lon, plants, vegetated, land, np.zeros((*shape, len(LAYERS)), np.float32))

    def add(self, index: int, one: YearMap, shares: Callable[[NDArray], tuple[NDArray, NDArray]]) -> None:
        """Take a year's map, in double precision for a few rows at a time."""
        for rows in one.bands():
            percent = one.percent(rows)
            self.plants[index, rows], self.vegetated[index, rows] = shares(percent)
            self.land[index, rows] = land_fraction(percent)
            self.layers[rows] += percent / (100 * len(self.plants))

    def dataset(self, years: list[int], about: Mapping[str, str]) -> xr.Dataset:
        where = ("lat", "lon")
        return xr.Dataset(
            {
                "plant_fraction": (("year", *where, "plant_type"), self.plants, about),
                "vegetated_fraction": (("year", *where), self.vegetated, VARIABLES["vegetated_fraction"].attrs),
                "land_fraction": (("year", *where), self.land, {"long_name": "land share of the cell", "units": "1"}),
                "layer_fraction": ((*where, "layer"), self.layers, LAYER_ATTRIBUTES),
            },
            coords={
                "year": years,
                "lat": ("lat", self.lat, {"units": "degrees_north"}),
                "lon": ("lon", self.lon, {"units": "degrees_east"}),
                "plant_type": list(PLANT_TYPES),
                "layer": list(LAYERS),
            },
        )


def aggregated_maps(folder: Path, made: Sequence[Path] = ()) -> dict[int, Path]:
    """Aggregated maps by year, in the order of the years (see :func:`read_cover`).

    Raises
    ------
    FileNotFoundError
        When the folder is missing.
    ValueError
        No map, or two maps of one year.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder; correct sources.cover.path")
    found: dict[int, Path] = {}
    fine = 0
    for path in sorted(folder.glob("*.nc")):
        year = year_of(path.name)
        if year is None:
            continue
        if not is_aggregated(path.name):
            fine += 1
        elif year in found:
            raise ValueError(f"{path.name} is a second map of {year}, but one per year is expected; remove one")
        else:
            found[year] = path
    for path in made:
        year = year_of(path.name)
        if year is None:
            raise ValueError(f"{path.name} is not named like a plant-type map; name it as the product does")
        found.setdefault(year, path)
    if not found:
        raise ValueError(
            f"{folder} holds no file named ESACCI-LC-L4-PFT-Map-300m-P1Y-aggregated-YYYY-v2.0.8.nc ({fine} at 300 m); "
            "put the yearly maps there or set sources.cover.provider: igbp"
        )
    return dict(sorted(found.items()))


def plant_fraction_attributes(renormalise: bool) -> dict[str, str]:
    """Attributes of plant fractions, which say what they are shares of."""
    about = VARIABLES["plant_fraction"].attrs
    if renormalise:
        return about
    return about | {"long_name": "plant-type share of the land area", "renormalised": "no"}


def parse_site_table(
    table: pd.DataFrame,
    include_crops: bool,
    source: str,
    classes: Mapping[str, Sequence[str]] = CLASSES,
    renormalise: bool = True,
) -> xr.Dataset:
    """Pixel means at towers.

    Parameters
    ----------
    table
        Columns SITE_ID, year and the 14 layers in percent; every site needs every year.
    include_crops
        Count managed grass as grass and shrub.
    source
        File name for messages.
    classes, renormalise
        As for :func:`read_cover`.

    Returns
    -------
    xarray.Dataset
        ``plant_fraction`` (site, year, plant_type), ``vegetated_fraction`` (site, year), ``layer_fraction``
        (site, layer).

    Raises
    ------
    ValueError
        Missing columns, a year that is none, a repeated or missing site and year, layers that do not sum to 100.
    """
    require_columns(table, ["SITE_ID", "year", *LAYERS], source)
    site = table["SITE_ID"].astype(str).str.strip().replace(ALIASES)
    year = numeric(table, "year", source)
    odd = ~((year == np.floor(year)) & (year >= 1900) & (year <= 2150))
    if odd.any():
        row = int(np.flatnonzero(odd)[0])
        raise ValueError(
            f"{source}: data row {row + 1} is of year {year[row]:g}, but a calendar year of four digits is needed; "
            "correct the field"
        )
    key = pd.MultiIndex.from_arrays([site, year], names=["SITE_ID", "year"])
    if key.has_duplicates:
        which = key[key.duplicated()][0]
        raise ValueError(
            f"{source} lists site {which[0]} in {which[1]:g} more than once, but once is expected; remove a row"
        )
    values = np.stack([numeric(table, name, source) for name in LAYERS], axis=1)
    sites, years = sorted(set(site)), sorted({int(y) for y in year})
    if len(table) != len(sites) * len(years):
        lacking = next((s, y) for s in sites for y in years if (s, float(y)) not in key)
        raise ValueError(
            f"{source} has no row of site {lacking[0]} in {lacking[1]}, but every site needs all years {years[0]} to "
            f"{years[-1]}; add the row"
        )
    order = key.get_indexer(pd.MultiIndex.from_product([sites, [float(y) for y in years]]))
    layers = normalise_layers(values[order], source).reshape(len(sites), len(years), len(LAYERS))
    share, vegetated = fractions(layers, include_crops, classes, renormalise)
    return xr.Dataset(
        {
            "plant_fraction": (("site", "year", "plant_type"), share, plant_fraction_attributes(renormalise)),
            "vegetated_fraction": (("site", "year"), vegetated, VARIABLES["vegetated_fraction"].attrs),
            "layer_fraction": (("site", "layer"), layers.mean(axis=1) / 100, LAYER_ATTRIBUTES),
        },
        coords={
            "site": np.array(sites, dtype=object),
            "year": years,
            "plant_type": list(PLANT_TYPES),
            "layer": list(LAYERS),
        },
        attrs={"include_crops": int(include_crops)},
    )


def read_site_plant_types(
    path: Path, include_crops: bool, classes: Mapping[str, Sequence[str]] = CLASSES, renormalise: bool = True
) -> xr.Dataset:
    """Read ``site_plant_types.csv`` (see :func:`parse_site_table`)."""
    path = Path(path)
    return parse_site_table(read_table(path), include_crops, path.name, classes, renormalise)
