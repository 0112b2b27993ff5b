"""ESA CCI plant functional types, aggregated maps and pixel tables (data-formats 2.3).

Fourteen layers in percent that sum to 100. The class table follows from the class names and the plant types of the
process model: broadleaved trees BL, needleleaved trees NL, shrubs and grass GS, managed grass (crops) GS by switch;
bare, built, water, snow and ice are no vegetation. Fractions are renormalised over the vegetated part; the vegetated
fraction refers to land (100 - WATER), so that land fraction is applied once and elsewhere.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from dere.ingest.fluxnet import ALIASES
from dere.ingest.tables import numeric, read_table, require_columns
from dere.io import read_netcdf
from dere.variables import PLANT_TYPES, VARIABLES

log = logging.getLogger(__name__)

CLASSES: dict[str, tuple[str, ...]] = {
    "BL": ("TREES-BD", "TREES-BE"),
    "NL": ("TREES-ND", "TREES-NE"),
    "GS": ("SHRUBS-BD", "SHRUBS-BE", "SHRUBS-ND", "SHRUBS-NE", "GRASS-NAT"),
}
CROPS = "GRASS-MAN"
LAYERS = (*(layer for layers in CLASSES.values() for layer in layers), CROPS, "BARE", "BUILT", "WATER", "SNOWICE")
# layers are stored as whole percent at 300 m, so that fourteen of them may miss 100 by rounding
SUM_TOLERANCE = 2.0
_NAME = re.compile(r"ESACCI-LC-L4-PFT-Map-300m-P1Y(-aggregated)?-(?P<year>\d{4})-v[\d.]+\.nc")


def fractions(layers: np.ndarray, include_crops: bool) -> tuple[np.ndarray, np.ndarray]:
    """Plant fractions and vegetated fraction of land.

    Parameters
    ----------
    layers
        Percent in the order of ``LAYERS``, shape (..., 14), summing to 100.
    include_crops
        Count managed grass as grass and shrub; otherwise it is no vegetation.

    Returns
    -------
    tuple
        ``plant_fraction`` (..., 3), NaN without vegetation, and ``vegetated_fraction`` (...), NaN without land.
    """
    index = {name: i for i, name in enumerate(LAYERS)}
    amounts = []
    for plant_type in PLANT_TYPES:
        members = [index[name] for name in CLASSES[plant_type]]
        if plant_type == "GS" and include_crops:
            members.append(index[CROPS])
        amounts.append(layers[..., members].sum(axis=-1))
    amount = np.stack(amounts, axis=-1)
    vegetated = amount.sum(axis=-1)
    land = 100.0 - layers[..., index["WATER"]]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(vegetated[..., None] > 0, amount / vegetated[..., None], np.nan)
        fraction = np.where(land > 0, vegetated / land, np.nan)
    return share, fraction


def normalise_layers(layers: np.ndarray, source: str) -> np.ndarray:
    """Check that layers (..., 14) are percentages summing to 100 within ``SUM_TOLERANCE``, then make it exact.

    Raises
    ------
    ValueError
        Negative or missing values, shares of 0 to 1, or another sum.
    """
    if not np.isfinite(layers).all() or layers.min() < 0:
        bad = int((~np.isfinite(layers) | (layers < 0)).any(axis=-1).sum())
        raise ValueError(
            f"{source}: {bad} places have a missing or negative layer, but every layer needs 0 to 100 percent; "
            "write ocean as WATER 100"
        )
    total = layers.sum(axis=-1)
    off = np.abs(total - 100)
    if off.max() > SUM_TOLERANCE:
        hint = "convert shares to percent" if np.median(total) < 1.5 else "check that all 14 layers are of one year"
        raise ValueError(
            f"{source}: the 14 layers sum to {total.min():g} to {total.max():g}, but 100 within {SUM_TOLERANCE:g} is "
            f"needed at {int((off > SUM_TOLERANCE).sum())} places; {hint}"
        )
    return layers * (100.0 / total[..., None])


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
        layers.append(layer.transpose("lat", "lon").to_numpy().astype(np.float64))
    values = normalise_layers(np.stack(layers, axis=-1), source)
    array = xr.DataArray(values, dims=("lat", "lon", "layer"), coords={"lat": lat, "lon": lon, "layer": list(LAYERS)})
    return array.sortby("lat", ascending=False).sortby("lon")


def read_cover(folder: Path, include_crops: bool) -> xr.Dataset:
    """Read every yearly map of a folder.

    Parameters
    ----------
    folder
        Holds ``ESACCI-LC-L4-PFT-Map-300m-P1Y[-aggregated]-{YYYY}-v*.nc``.
    include_crops
        Count managed grass as grass and shrub.

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
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder; correct sources.cover.path")
    maps: dict[int, xr.DataArray] = {}
    for path in sorted(folder.glob("*.nc")):
        match = _NAME.fullmatch(path.name)
        if not match:
            log.warning("%s: not named like a plant-type map, ignored", path.name)
            continue
        year = int(match["year"])
        if year in maps:
            raise ValueError(f"{path.name} is a second map of {year}, but one per year is expected; remove one")
        maps[year] = parse_map(read_netcdf(path), path.name)
        first = next(iter(maps.values()))
        if not (first.lat.equals(maps[year].lat) and first.lon.equals(maps[year].lon)):
            raise ValueError(
                f"{path.name} has another grid than the first map of {folder}, but all years need one grid; aggregate "
                "them alike"
            )
    if not maps:
        raise ValueError(
            f"{folder} holds no file named ESACCI-LC-L4-PFT-Map-300m-P1Y-aggregated-YYYY-v2.0.8.nc; put the yearly "
            "maps there or set sources.cover.provider: igbp"
        )
    years = sorted(maps)
    layers = xr.concat([maps[year] for year in years], dim="year")
    return _dataset(layers.to_numpy(), years, include_crops, ("lat", "lon")).assign_coords(
        lat=("lat", first.lat.to_numpy(), {"units": "degrees_north"}),
        lon=("lon", first.lon.to_numpy(), {"units": "degrees_east"}),
    )


def _dataset(layers: np.ndarray, years: list[int], include_crops: bool, where: tuple[str, ...]) -> xr.Dataset:
    """Fractions of layers (year, *where, 14) as a Dataset."""
    share, vegetated = fractions(layers, include_crops)
    return xr.Dataset(
        {
            "plant_fraction": (("year", *where, "plant_type"), share, VARIABLES["plant_fraction"].attrs),
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


def parse_site_table(table: pd.DataFrame, include_crops: bool, source: str) -> xr.Dataset:
    """Pixel means at towers.

    Parameters
    ----------
    table
        Columns SITE_ID, year and the 14 layers in percent; every site needs every year.
    include_crops
        Count managed grass as grass and shrub.
    source
        File name for messages.

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
    by_year = _dataset(np.moveaxis(layers, 1, 0), years, include_crops, ("site",))
    return by_year.assign_coords(site=np.array(sites, dtype=object)).transpose("site", "year", ...)


def read_site_plant_types(path: Path, include_crops: bool) -> xr.Dataset:
    """Read ``site_plant_types.csv`` (see :func:`parse_site_table`)."""
    path = Path(path)
    return parse_site_table(read_table(path), include_crops, path.name)
