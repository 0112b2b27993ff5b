"""Stand-age weights of points from a table of points or a map, and what holds where a map of forest has no forest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from dere.harmonise import igbp as tables
from dere.ingest.grid import nearest

CLASS_OF_LAYER = {
    "TREES": "MF",
    "SHRUBS": "OSH",
    "GRASS-NAT": "GRA",
    "GRASS-MAN": "CRO",
}
"""IGBP class whose stated age prior holds for ESA CCI layers that begin so."""


def ages_at_points(
    ages: xr.Dataset, lat: NDArray, lon: NDArray, reach: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Age weights at points.

    Parameters
    ----------
    ages
        ``age_weight`` (point, age) with ``lat``, ``lon`` of the points, or (lat, lon, age).
    lat, lon
        (place,) degrees.
    reach
        Largest distance of a point of a table, the greater of the two in latitude and longitude, in degrees. In a map
        the cell that holds the place counts.

    Returns
    -------
    weight, found
        (place, age), NaN where a map has no forest, and (place,) whether table or map reaches the place.
    """
    lat, lon = np.asarray(lat, float), np.asarray(lon, float)
    if "point" in ages.dims:
        # a distance matrix of the globe at half a degree would take 23 GB
        tree = cKDTree(np.stack([ages["lat"].values, ages["lon"].values % 360.0], axis=1), boxsize=[0.0, 360.0])
        distance, index = map(np.atleast_1d, tree.query(np.stack([lat, lon % 360.0], axis=1), p=np.inf))
        return ages["age_weight"].transpose("point", "age").values[index], np.asarray(distance <= reach * (1 + 1e-6))
    row, row_inside = nearest(ages["lat"].values, lat)
    column, column_inside = nearest(ages["lon"].values, lon)
    return ages["age_weight"].transpose("lat", "lon", "age").values[row, column], row_inside & column_inside


def check_ages(table: xr.Dataset, ages: Sequence[int]) -> None:
    """Check that weights are of the run's stand ages.

    Raises
    ------
    ValueError
        When there are more or fewer weights than ages, or as many of other ages.
    """
    if table.sizes["age"] != len(ages):
        raise ValueError(
            f"the age table has {table.sizes['age']} weights, the run has {len(ages)} stand ages; give one weight per "
            "age, or correct world.ages or sources.simulation.ages"
        )
    own = [int(age) for age in table["age"].values] if "age" in table.coords else list(ages)
    if own != [int(age) for age in ages]:
        raise ValueError(
            f"the age weights are of the ages {own}, but the simulation has {[int(age) for age in ages]}; correct the "
            "stand ages in the configuration (world.ages or sources.simulation.ages)"
        )


def layers_at_points(grid: xr.Dataset, lat: NDArray, lon: NDArray) -> tuple[NDArray[np.float64], list[str]]:
    """Shares of the ESA CCI layers (point, layer) and their names; no layer where the map brings only plant types."""
    if "layer_fraction" not in grid:
        return np.zeros((len(lat), 0)), []
    row, column = nearest(grid["lat"].values, lat)[0], nearest(grid["lon"].values, lon)[0]
    layers = grid["layer_fraction"].transpose("lat", "lon", "layer")
    return layers.values[row, column], [str(name) for name in grid["layer"].values]


def ages_without_forest(layers: NDArray, names: Sequence[str], ages: Sequence[int]) -> NDArray[np.float64]:
    """Age weights of places that a map of forest leaves out, (place, age); rows sum to 1.

    The stated priors of ``igbp`` are mixed by what the plant-type map shows: trees MF, shrubs OSH, natural grass GRA,
    crops CRO; a place without any of them takes BSV.

    Parameters
    ----------
    layers
        (place, layer) shares of the ESA CCI layers.
    names
        Their names.
    ages
        Stand ages of the run.
    """
    priors = tables.age_weights([*CLASS_OF_LAYER.values(), "BSV"], ages)
    mixed = np.zeros((len(layers), len(ages)))
    total = np.zeros(len(layers))
    for start, prior in zip(CLASS_OF_LAYER, priors, strict=False):
        share = layers[:, [str(name).startswith(start) for name in names]].sum(1)
        mixed += share[:, None] * prior
        total += share
    grown = np.isfinite(total) & (total > 0)
    return np.where(grown[:, None], mixed / np.where(grown, total, 1.0)[:, None], priors[-1])
