"""Plant fractions of the map cells that hold points or towers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.ingest.grid import nearest
from dere.ingest.tower.site_ids import OTHER_CODES
from dere.variables import PLANT_TYPES


def map_at_points(
    grid: xr.Dataset, lat: NDArray, lon: NDArray, years: Sequence[int] | NDArray
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Cover of the map cells that hold points.

    Parameters
    ----------
    grid
        ``plant_fraction`` (year, lat, lon, plant_type) and ``vegetated_fraction`` (year, lat, lon), on a regular grid
        in any latitude order.
    lat, lon
        (point,) degrees.
    years
        Calendar years wanted.

    Returns
    -------
    fraction, vegetated, found
        (point, year, plant_type), (point, year), and (point,) whether a map cell with land holds the point.
    """
    row, row_inside = nearest(grid["lat"].values, lat)
    column, column_inside = nearest(grid["lon"].values, lon)
    year = nearest_year(grid["year"].values, years)
    fraction = grid["plant_fraction"].transpose("lat", "lon", "year", "plant_type").values[row, column][:, year]
    vegetated = grid["vegetated_fraction"].transpose("lat", "lon", "year").values[row, column][:, year]
    found = row_inside & column_inside & np.isfinite(vegetated).any(1)
    return bare_to_grass(fraction), np.nan_to_num(vegetated), found


def map_at_towers(
    grid: xr.Dataset, sites: NDArray, lat: NDArray, lon: NDArray, years: Sequence[int] | NDArray
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Cover of the map cells that hold towers: those of the original map where ingest made means of it.

    Parameters
    ----------
    grid
        As for :func:`map_at_points`, perhaps with ``tower_plant_fraction`` (tower, year, plant_type) and
        ``tower_vegetated_fraction`` (tower, year) of the original map.
    sites
        (site,) names, of which coordinate ``tower`` has all, some or none.
    lat, lon, years
        As for :func:`map_at_points`.

    Returns
    -------
    fraction, vegetated, found
        (site, year, plant_type), (site, year), (site,).
    """
    fraction, vegetated, found = map_at_points(grid, lat, lon, years)
    if "tower_plant_fraction" in grid:
        rows, there = lookup(grid["tower"].values.astype(str), sites)
        year = nearest_year(grid["year"].values, years)
        values = grid["tower_plant_fraction"].transpose("tower", "year", "plant_type").values[rows][:, year]
        share = grid["tower_vegetated_fraction"].transpose("tower", "year").values[rows][:, year]
        fraction[there], vegetated[there] = bare_to_grass(values), np.nan_to_num(share)
        found[there] = np.isfinite(share).any(1)
    return fraction, vegetated, found


def bare_to_grass(fraction: NDArray) -> NDArray[np.float64]:
    """Plant fractions (..., plant_type) in which a place without vegetation, NaN, is all grass and shrub."""
    bare = np.eye(len(PLANT_TYPES))[PLANT_TYPES.index("GS")]
    return np.where(np.isfinite(fraction).all(-1, keepdims=True), fraction, bare)


def nearest_year(known: NDArray, years: Sequence[int] | NDArray) -> NDArray[np.int64]:
    """Index of the known year nearest to each wanted one, (year,)."""
    return np.abs(np.asarray(known)[None] - np.asarray(years)[:, None]).argmin(1)


def lookup(known: NDArray, wanted: NDArray) -> tuple[list[int], NDArray[np.bool_]]:
    """Rows of the wanted names that are known, and which of the wanted names these are."""
    place = {name: index for index, name in enumerate(known)}
    there = np.array([name in place for name in wanted], bool)
    return [place[name] for name in wanted if name in place], there


def under_kept_codes(table: xr.Dataset | None, towers: xr.Dataset) -> xr.Dataset | None:
    """Table of sites whose rows under another code of a tower stand under the code that the tower is kept under.

    Parameters
    ----------
    table
        Over ``site``; a row under the code that is kept goes before one under another.
    towers
        Interim towers; ``other_codes`` (site) where any tower has more than one code.
    """
    if table is None or OTHER_CODES not in towers.coords:
        return table
    sites = table["site"].values.astype(str)
    kept = {
        other: site
        for site, others in zip(towers["site"].values.astype(str), towers[OTHER_CODES].values.astype(str), strict=True)
        for other in others.split()
        if site not in sites
    }
    return table.assign_coords(site=np.array([kept.get(site, site) for site in sites], dtype=object))
