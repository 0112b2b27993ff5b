"""Plant fractions, vegetated fraction and stand-age weights of cells and towers.

A tower takes its own rows (pixels of the 300 m maps, else a table of its own), else the map cell that holds it, else
the stated table of its IGBP class; ``cover_source`` and ``age_source`` say which. A tower that none of these covers
(its class is not known either) has no cover. Fractions sum to 1 over the vegetated
part unless the source says that they are shares of the land; a place without vegetation counts as bare grass and shrub
land with vegetated fraction 0. Years outside the source take its nearest.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.harmonise import igbp as tables
from dere.harmonise.age_lookup import ages_at_points, ages_without_forest, check_ages, layers_at_points
from dere.harmonise.cover_lookup import bare_to_grass, lookup, map_at_points, map_at_towers, nearest_year
from dere.variables import PLANT_TYPES, VARIABLES

log = logging.getLogger(__name__)

SUM_TOLERANCE = 1e-3
"""Largest departure from 1 of sums of fractions and of age weights; smaller ones are divided away."""
NO_COVER = "none"
"""``cover_source`` of a tower that has no cover."""
SINGLE = 2e-7
"""Departure of sums of numbers in single precision, which stay as they are."""


def cell_cover(
    cells: xr.Dataset,
    grid: xr.Dataset | None,
    grid_ages: xr.Dataset | None,
    years: Sequence[int] | NDArray,
    ages: Sequence[int],
) -> xr.Dataset:
    """Cover of grid cells.

    Parameters
    ----------
    cells
        With coordinates ``cell``, ``lat``, ``lon`` and attribute ``grid_degrees``.
    grid, grid_ages
        The maps and the age table, or a map of forest age. Cells without forest in it take the stated priors of what
        the plant-type map shows there.
    years, ages
        Calendar years and stand ages of the run.

    Raises
    ------
    ValueError
        When maps or ages are missing as a whole or for a cell, or when the weights are of other ages.
    """
    if grid is None or grid_ages is None:
        raise ValueError(
            "grid cells need plant-type maps and an age table, and sources.cover gives "
            f"{'no maps' if grid is None else 'no age table'}; set sources.cover.provider to files with both"
        )
    check_ages(grid_ages, ages)
    lat, lon = cells["lat"].values, cells["lon"].values
    fraction, vegetated, found = map_at_points(grid, lat, lon, years)
    weight, aged = ages_at_points(grid_ages, lat, lon, float(cells.attrs["grid_degrees"]) / 2)
    for what, have in (("plant-type map", found), ("age table", aged)):
        if not have.all():
            first = int(np.flatnonzero(~have)[0])
            raise ValueError(
                f"the {what} has no land value at {(~have).sum()} of {len(have)} cells (first: cell "
                f"{cells['cell'].values[first]} at {lat[first]:g}, {lon[first]:g}), every cell needs one; aggregate it "
                "to the simulation's grid"
            )
    bare = np.asarray(np.isnan(weight).all(1))
    if bare.any():
        weight[bare] = ages_without_forest(*layers_at_points(grid, lat[bare], lon[bare]), ages)
        log.info("%d of %d cells have no forest in the age map and take stated priors", int(bare.sum()), len(bare))
    coords = {name: cells[name] for name in ("cell", "lat", "lon")}
    dataset = _dataset("cell", fraction, vegetated, weight, years, ages, _whole(grid))
    return dataset.assign_coords(coords)


def listed_cover(
    cells: xr.Dataset, listed: xr.Dataset, years: Sequence[int] | NDArray, ages: Sequence[int]
) -> xr.Dataset:
    """Cover of grid cells from a source that lists these very cells by their number.

    Parameters
    ----------
    cells
        With coordinates ``cell``, ``lat``, ``lon``.
    listed
        ``plant_fraction`` (cell, year, plant_type), ``vegetated_fraction`` (cell, year), ``age_weight`` (cell, age).
    years, ages
        Calendar years and stand ages of the run.

    Raises
    ------
    ValueError
        When a cell is not listed.
    """
    rows, there = lookup(listed["cell"].values, cells["cell"].values)
    if not there.all():
        first = cells["cell"].values[~there][0]
        raise ValueError(
            f"{int((~there).sum())} of {len(there)} cells of the simulation (first: cell {first}) have no plant types, "
            "every cell needs them; read simulation and cover from the same arrays"
        )
    year = nearest_year(listed["year"].values, years)
    fraction = listed["plant_fraction"].transpose("cell", "year", "plant_type").values[rows][:, year]
    vegetated = listed["vegetated_fraction"].transpose("cell", "year").values[rows][:, year]
    weight = listed["age_weight"].transpose("cell", "age").values[rows]
    coords = {name: cells[name] for name in ("cell", "lat", "lon")}
    dataset = _dataset("cell", bare_to_grass(fraction), np.nan_to_num(vegetated), weight, years, ages)
    return dataset.assign_coords(coords)


def site_cover(
    towers: xr.Dataset,
    years: Sequence[int] | NDArray,
    ages: Sequence[int],
    own: xr.Dataset | None = None,
    own_ages: xr.Dataset | None = None,
    grid: xr.Dataset | None = None,
    grid_ages: xr.Dataset | None = None,
) -> xr.Dataset:
    """Cover of towers by the rule of the module.

    Parameters
    ----------
    towers
        Coordinates ``site``, ``lat``, ``lon``, ``igbp``.
    years, ages
        Calendar years and stand ages of the run.
    own, own_ages
        Pixel table (site, year, plant_type) and age table (site, age) of towers.
    grid, grid_ages
        Maps and age table of the globe.

    Returns
    -------
    Dataset
        ``plant_fraction`` (site, year, plant_type), ``vegetated_fraction`` (site, year), ``age_weight`` (site, age);
        coordinates ``cover_source`` (site): pixels of the 300 m maps, own, cell, igbp or ``NO_COVER`` (as bare land),
        and ``age_source``: own, cell or igbp.
    """
    classes = [str(name) for name in towers["igbp"].values]
    lat, lon = towers["lat"].values, towers["lon"].values
    sites = towers["site"].values.astype(str)
    fraction = np.repeat(tables.plant_fractions(classes)[:, None], len(years), axis=1)
    vegetated = np.repeat(tables.vegetated_fractions(classes)[:, None], len(years), axis=1)
    whole = all(_whole(source) for source in (grid, own) if source is not None)
    if not whole:
        fraction = fraction * vegetated[..., None]
    weight = tables.age_weights(classes, ages)
    cover_source, age_source = np.full(len(sites), "igbp", object), np.full(len(sites), "igbp", object)
    if grid is not None:
        of_map, of_map_vegetated, found = map_at_towers(grid, sites, lat, lon, years)
        found &= of_map_vegetated.max(1) > 0
        fraction[found], vegetated[found], cover_source[found] = of_map[found], of_map_vegetated[found], "cell"
    if grid_ages is not None:
        check_ages(grid_ages, ages)
        of_table, aged = ages_at_points(grid_ages, lat, lon, _step(grid) / 2)
        aged &= np.isfinite(of_table).all(1)
        weight[aged], age_source[aged] = of_table[aged], "cell"
    if own is not None:
        rows, there = lookup(own["site"].values.astype(str), sites)
        year = nearest_year(own["year"].values, years)
        values = own["plant_fraction"].transpose("site", "year", "plant_type").values[rows][:, year]
        fraction[there] = bare_to_grass(values)
        vegetated[there] = np.nan_to_num(own["vegetated_fraction"].transpose("site", "year").values[rows][:, year])
        cover_source[there] = own["cover_source"].values[rows] if "cover_source" in own else "own"
    if own_ages is not None:
        check_ages(own_ages, ages)
        rows, there = lookup(own_ages["site"].values.astype(str), sites)
        weight[there], age_source[there] = own_ages["age_weight"].transpose("site", "age").values[rows], "own"
    uncovered = np.isnan(fraction).any((1, 2))
    fraction, vegetated, cover_source[uncovered] = bare_to_grass(fraction), np.nan_to_num(vegetated), NO_COVER
    bare = sites[(cover_source == "igbp") & (vegetated.max(1) == 0)]
    if len(bare):
        log.warning(
            "%d of %d towers are of an IGBP class without vegetation (%s) and have none: vegetated fraction 0",
            len(bare), len(sites), ", ".join(f"{site} {towers['igbp'].sel(site=site).item()}" for site in bare[:5]),
        )  # fmt: skip
    used = {name: int((cover_source == name).sum()) for name in ("pixels", "own", "cell", "igbp")}
    log.info(
        "cover of %d towers: %d pixels, %d own tables, %d map cells, %d from the IGBP table", len(sites), *used.values()
    )
    return _dataset("site", fraction, vegetated, weight, years, ages, whole).assign_coords(
        site=towers["site"],
        cover_source=("site", cover_source),
        age_source=("site", age_source),
    )


def covered_towers(towers: xr.Dataset, of_sites: xr.Dataset) -> tuple[xr.Dataset, dict[str, str]]:
    """Towers with their cover, and site to sentence of those that have none.

    Parameters
    ----------
    towers
        With coordinates ``site`` and ``igbp``.
    of_sites
        As of :func:`site_cover`, of the same sites.

    Raises
    ------
    ValueError
        When no tower has a cover.
    """
    covered = of_sites["cover_source"].values != NO_COVER
    lost = {
        str(site): f"site {site} has no plant types: no map or table covers it and its IGBP class is unknown, but one "
        f"of them is needed; state its class ({', '.join(tables.CLASSES)}) in a table of sites, or leave it out"
        for site in towers["site"].values[~covered]
    }
    if not covered.any():
        raise ValueError(f"{next(iter(lost.values()), 'there is no site')}; this holds for all sites")
    for sentence in lost.values():
        log.warning("%s; it is dropped", sentence)
    chosen = towers.isel(site=covered)
    return chosen.assign(of_sites.isel(site=covered).data_vars).assign_coords(of_sites.isel(site=covered).coords), lost


def check_sums(values: NDArray, what: str, whole: bool = True) -> NDArray[np.float64]:
    """Divide shares by their sum along the last axis when it is 1 within ``SUM_TOLERANCE``, but not within ``SINGLE``.

    Parameters
    ----------
    values
        Shares.
    what
        Name for messages.
    whole
        Sums must be 1; otherwise they are shares of the land, may be anything up to 1 and stay as they are.

    Raises
    ------
    ValueError
        When a sum differs more, or a share is negative or missing.
    """
    total = values.sum(-1, keepdims=True)
    off = np.abs(total - 1) if whole else total - 1
    if not np.isfinite(values).all() or (values < 0).any() or (off > SUM_TOLERANCE).any():
        raise ValueError(
            f"{what} has sums from {total.min():g} to {total.max():g} and least value {values.min():g}, shares from 0 "
            f"to 1 that sum to {'1' if whole else 'at most 1'} within {SUM_TOLERANCE:g} are expected; correct the "
            "source table"
        )
    # a map in single precision stays what it is, its sums are as near to 1 as they can be
    return np.where(np.abs(total - 1) <= SINGLE, values, values / total) if whole else values


def _step(grid: xr.Dataset | None) -> float:
    """Cell size in degrees; half a degree without a map."""
    if grid is None:
        return 0.5
    return float(np.abs(np.diff(grid["lat"].values)).max()) if grid.sizes["lat"] > 1 else 180.0


def _whole(source: xr.Dataset) -> bool:
    """Tell whether plant fractions sum to 1 over the vegetated part; otherwise they are shares of the land."""
    return source["plant_fraction"].attrs.get("renormalised") != "no"


def _dataset(
    member: str,
    fraction: NDArray,
    vegetated: NDArray,
    weight: NDArray,
    years: Sequence[int] | NDArray,
    ages: Sequence[int],
    whole: bool = True,
) -> xr.Dataset:
    if weight.shape[1] != len(ages):
        raise ValueError(
            f"the age table has {weight.shape[1]} weights, the run has {len(ages)} stand ages; give one weight per age"
        )
    data = {
        "plant_fraction": ((member, "year", "plant_type"), check_sums(fraction, "plant_fraction", whole)),
        "vegetated_fraction": ((member, "year"), vegetated),
        "age_weight": ((member, "age"), check_sums(weight, "age_weight")),
    }
    return xr.Dataset(
        {name: (dims, values.astype(np.float32), VARIABLES[name].attrs) for name, (dims, values) in data.items()},
        coords={
            "year": np.asarray(years, np.int64),
            "age": np.asarray(ages, np.int64),
            "plant_type": list(PLANT_TYPES),
        },
    )
