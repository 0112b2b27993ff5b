"""The regular grid behind a land mask: cell numbers, centres, areas and the cell of a point."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.blocks import slices

EARTH_RADIUS = 6_371_007.2  # authalic radius in m, so that areas of the sphere equal those of the ellipsoid


def check_mask(mask: np.ndarray, grid_degrees: float, source: str) -> None:
    """Check that a land mask is a global regular grid of ``grid_degrees``.

    Raises
    ------
    ValueError
        When type or shape is another, or when there is no land.
    """
    expected = (round(180 / grid_degrees), round(360 / grid_degrees))
    if mask.dtype != np.bool_ or mask.ndim != 2:
        raise ValueError(
            f"{source} holds {mask.dtype} of shape {mask.shape}, but a boolean (lat, lon) mask of shape {expected} is "
            "needed; write it with dtype bool"
        )
    if mask.shape != expected:
        raise ValueError(
            f"{source} has shape {mask.shape}, but a global grid of {grid_degrees:g} degrees has {expected}; correct "
            "grid_degrees in meta.json or the mask"
        )
    if not mask.any():
        raise ValueError(f"{source} marks no land cell, but at least one is needed; correct the mask")


def cell_coordinates(mask: np.ndarray, grid_degrees: float, land_fraction: np.ndarray | None) -> dict[str, xr.Variable]:
    """Coordinates of the land cells, row 0 = north, in row-major order.

    Parameters
    ----------
    mask
        Boolean, shape (lat, lon).
    grid_degrees
        Cell size.
    land_fraction
        Land share by land cell, shape (cell,); None = 1.

    Returns
    -------
    dict
        ``cell`` (row * columns + column), ``lat``, ``lon`` (centres), ``land_fraction``, ``cell_area`` (m2).
    """
    row, column = np.nonzero(mask)
    lat = 90.0 - grid_degrees * (row + 0.5)
    lon = -180.0 + grid_degrees * (column + 0.5)
    edges = np.sin(np.deg2rad(np.stack([lat - grid_degrees / 2, lat + grid_degrees / 2])))
    area = EARTH_RADIUS**2 * np.deg2rad(grid_degrees) * (edges[1] - edges[0])
    share = np.ones(len(row)) if land_fraction is None else np.asarray(land_fraction, dtype=float)
    return {
        "cell": xr.Variable("cell", (row * mask.shape[1] + column).astype(np.int64)),
        "lat": xr.Variable("cell", lat, {"units": "degrees_north", "standard_name": "latitude"}),
        "lon": xr.Variable("cell", lon, {"units": "degrees_east", "standard_name": "longitude"}),
        "land_fraction": xr.Variable("cell", share, {"units": "1", "standard_name": "land_area_fraction"}),
        "cell_area": xr.Variable("cell", area, {"units": "m2", "standard_name": "cell_area"}),
    }


def cells_of_centres(lat: np.ndarray, lon: np.ndarray, degrees: float, source: str) -> tuple[np.ndarray, np.ndarray]:
    """Row-major number and area (m2) of the grid cells that points are centres of.

    Raises
    ------
    ValueError
        When a point is no centre, or two share one.
    """
    row, column = (90 - lat) / degrees - 0.5, (lon + 180) / degrees - 0.5
    rows, columns = np.rint(row).astype(int), np.rint(column).astype(int)
    off = (np.abs(row - rows) > 0.02) | (np.abs(column - columns) > 0.02)
    if off.any():
        first = int(off.argmax())
        raise ValueError(
            f"{source}: {int(off.sum())} cells (first at {lat[first]:g}, {lon[first]:g}) are no centres of a grid of "
            f"{degrees:g} degrees; correct the coordinates or sources.simulation.grid_degrees"
        )
    mask = np.zeros((round(180 / degrees), round(360 / degrees)), bool)
    mask[rows, columns] = True
    number = rows * mask.shape[1] + columns
    if len(np.unique(number)) < len(number):
        raise ValueError(
            f"{source}: {len(number) - len(np.unique(number))} cells share their place with another one, but each may "
            "stand there once; correct the coordinates"
        )
    known = cell_coordinates(mask, degrees, None)
    return number, known["cell_area"].values[np.searchsorted(known["cell"].values, number)]


def nearest(axis: NDArray, points: NDArray) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Index of the cell of a regular axis nearest to each point, and whether it holds the point (never NaN)."""
    points = np.asarray(points, float)
    step = np.abs(np.diff(axis)).max() if len(axis) > 1 else np.inf
    index, distance = np.zeros(len(points), np.int64), np.zeros(len(points))
    # some points at a time: all cells of the globe and 720 meridians would take 0.3 GB
    for block in slices(len(points), 4096):
        away = np.abs(points[block, None] - axis)
        index[block], distance[block] = away.argmin(1), away.min(1)
    return index, distance <= step / 2 * (1 + 1e-6)
