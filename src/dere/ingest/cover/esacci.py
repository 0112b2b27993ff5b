"""ESA CCI plant functional types, aggregated maps and pixel tables (data-formats 2.3).

Fourteen layers in percent that sum to 100; ``esacci_classes`` makes plant fractions of them, ``esacci_aggregate`` makes
aggregated maps of the 300 m ones, ``esacci_towers`` the pixel table.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from dere.ingest.cover.esacci_classes import CLASSES, LAYERS, fractions, normalise_layers
from dere.ingest.cover.esacci_names import is_aggregated, year_of
from dere.ingest.tables import numeric, read_table, require_columns
from dere.ingest.tower.fluxnet_names import ALIASES
from dere.io import read_netcdf
from dere.variables import PLANT_TYPES, VARIABLES

log = logging.getLogger(__name__)


def parse_map(dataset: xr.Dataset, source: str) -> xr.DataArray:
    """One year's map as percent (lat, lon, layer), latitude from north to south.

    Parameters
    ----------
    dataset
        Hyphen-named layers with dims lat, lon and perhaps a time of length 1, as decoded by xarray (fill values are
        NaN already, bytes may have become floats).
    source
        File name for messages.

    Raises
    ------
    ValueError
        Missing layers or coordinates, impossible coordinates, layers that do not sum to 100.
    """
    missing = [name for name in LAYERS if name not in dataset.variables]
    if missing:
        raise ValueError(
            f"{source} has no layer {', '.join(missing)}, but all 14 hyphen-named layers are needed; take the "
            "aggregated plant-type map of the product"
        )
    for name in ("lat", "lon"):
        if name not in dataset.coords or dataset[name].ndim != 1:
            raise ValueError(f"{source} has no coordinate {name} of cell centres, but it is needed; add it")
    lat, lon = dataset["lat"].to_numpy(), dataset["lon"].to_numpy()
    for name, axis in (("lat", lat), ("lon", lon)):
        distinct = len(np.unique(axis[np.isfinite(axis)]))
        if distinct < len(axis):
            raise ValueError(
                f"{source}: coordinate {name} has {len(axis)} values, of which {distinct} are finite and distinct, but "
                "each cell centre is needed once; take the map as published"
            )
    if np.abs(lat).max() > 90 or np.abs(lon).max() > 180:
        raise ValueError(
            f"{source}: latitude reaches {np.abs(lat).max():g} and longitude {np.abs(lon).max():g}, but 90 and 180 are "
            "the limits; correct or exchange the coordinates"
        )
    layers = []
    for name in LAYERS:
        layer = dataset[name]
        if "time" in layer.dims:
            if layer.sizes["time"] != 1:
                raise ValueError(
                    f"{source}: layer {name} holds {layer.sizes['time']} times, but one file is one year; split it"
                )
            layer = layer.isel(time=0, drop=True)
        if set(layer.dims) != {"lat", "lon"} or layer.dtype.kind not in "fiu":
            raise ValueError(
                f"{source}: layer {name} holds {layer.dtype} by {', '.join(map(str, layer.dims)) or 'nothing'}, but "
                "numbers by lat and lon are needed; take the aggregated map of the product"
            )
        layers.append(layer.transpose("lat", "lon").to_numpy().astype(np.float64))
    values = normalise_layers(np.stack(layers, axis=-1), source)
    array = xr.DataArray(values, dims=("lat", "lon", "layer"), coords={"lat": lat, "lon": lon, "layer": list(LAYERS)})
    return array.sortby("lat", ascending=False).sortby("lon")


def read_cover(
    folder: Path,
    include_crops: bool,
    classes: Mapping[str, Sequence[str]] = CLASSES,
    renormalise: bool = True,
    made: Sequence[Path] = (),
) -> xr.Dataset:
    """Read every yearly aggregated map of a folder.

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

    Returns
    -------
    xarray.Dataset
        ``plant_fraction`` (year, lat, lon, plant_type), NaN without vegetation; ``vegetated_fraction``
        (year, lat, lon) of the land, NaN without land; ``layer_fraction`` (lat, lon, layer), mean of the years.
        Latitude runs from north to south.

    Raises
    ------
    FileNotFoundError
        When the folder is missing.
    ValueError
        No map, two maps of one year, different grids, and all that :func:`parse_map` checks.
    """
    maps: dict[int, xr.Dataset] = {}
    layers: np.ndarray | None = None
    # one map at a time: 29 years of 14 layers at half a degree would take 0.8 GB
    for year, path in aggregated_maps(folder, made).items():
        one = parse_map(read_netcdf(path), path.name)
        values = one.to_numpy()
        maps[year] = _dataset(values[None], [year], include_crops, ("lat", "lon"), classes, renormalise).assign_coords(
            lat=("lat", one.lat.to_numpy(), {"units": "degrees_north"}),
            lon=("lon", one.lon.to_numpy(), {"units": "degrees_east"}),
        )
        first = next(iter(maps.values()))
        if not (first.lat.equals(maps[year].lat) and first.lon.equals(maps[year].lon)):
            raise ValueError(
                f"{path.name} has another grid than the first map of {folder}, but all years need one grid; aggregate "
                "them alike"
            )
        layers = values if layers is None else layers + values
    shares = ["plant_fraction", "vegetated_fraction"]
    joined = xr.concat([dataset[shares] for dataset in maps.values()], dim="year", join="exact")
    assert layers is not None
    return joined.assign(layer_fraction=first["layer_fraction"].copy(data=layers / len(maps) / 100))


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
            # stand ages may lie beside the maps, a misspelt map may not go unnoticed
            level = logging.WARNING if "PFT" in path.name.upper() else logging.INFO
            log.log(level, "%s: not named like a plant-type map, ignored", path.name)
        elif not is_aggregated(path.name):
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


def _dataset(
    layers: np.ndarray,
    years: list[int],
    include_crops: bool,
    where: tuple[str, ...],
    classes: Mapping[str, Sequence[str]],
    renormalise: bool,
) -> xr.Dataset:
    """Fractions of layers (year, *where, 14) as a Dataset."""
    share, vegetated = fractions(layers, include_crops, classes, renormalise)
    about = VARIABLES["plant_fraction"].attrs
    if not renormalise:
        about = about | {"long_name": "plant-type share of the land area", "renormalised": "no"}
    return xr.Dataset(
        {
            "plant_fraction": (("year", *where, "plant_type"), share, about),
            "vegetated_fraction": (("year", *where), vegetated, VARIABLES["vegetated_fraction"].attrs),
            "layer_fraction": (
                (*where, "layer"),
                layers.mean(axis=0) / 100,
                {"long_name": "share of each ESA CCI layer, mean of the years", "units": "1"},
            ),
        },
        coords={"year": years, "plant_type": list(PLANT_TYPES), "layer": list(LAYERS)},
        attrs={"include_crops": int(include_crops)},
    )


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
    by_year = _dataset(np.moveaxis(layers, 1, 0), years, include_crops, ("site",), classes, renormalise)
    return by_year.assign_coords(site=np.array(sites, dtype=object)).transpose("site", "year", ...)


def read_site_plant_types(
    path: Path, include_crops: bool, classes: Mapping[str, Sequence[str]] = CLASSES, renormalise: bool = True
) -> xr.Dataset:
    """Read ``site_plant_types.csv`` (see :func:`parse_site_table`)."""
    path = Path(path)
    return parse_site_table(read_table(path), include_crops, path.name, classes, renormalise)
