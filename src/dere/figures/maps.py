"""World maps on plain Axes: Robinson projection, shipped land polygons, cells as polygons. Nothing is downloaded."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib import resources

import cartopy.crs as ccrs
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.colors import Normalize
from matplotlib.patches import PathPatch, Polygon
from matplotlib.path import Path as Outline

import dere.world  # the land polygons are its data; the import makes them part of what a figure depends on
from dere.figures.style import LAND, SEA

_GEODETIC = ccrs.PlateCarree()
_MAP = ccrs.Robinson()
_SOUTH, _NORTH = -58.0, 84.0
"""Latitudes shown: without Antarctica, where no cell is vegetated."""


def project(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Robinson coordinates in metres.

    Parameters
    ----------
    lon, lat
        Degrees, any common shape.

    Returns
    -------
    ndarray
        Shape of the input plus one axis of length 2.
    """
    shape = np.shape(lon)
    points = _MAP.transform_points(_GEODETIC, np.ravel(lon).astype(float), np.ravel(lat).astype(float))
    return points[:, :2].reshape(*shape, 2)


@lru_cache(maxsize=1)
def land_outline() -> Outline:
    """Projected outline of all land as one compound path."""
    text = (resources.files(dere.world) / "land.json").read_text()
    rings = [np.asarray(ring) for polygon in json.loads(text)["coordinates"] for ring in polygon]
    paths = [Outline(project(ring[:, 0], ring[:, 1]), closed=True) for ring in rings]
    return Outline.make_compound_path(*paths)


@lru_cache(maxsize=1)
def _frame() -> np.ndarray:
    lat = np.linspace(_SOUTH, _NORTH, 60)
    west = project(np.full_like(lat, -180.0), lat)
    east = project(np.full_like(lat, 180.0), lat)[::-1]
    return np.concatenate([west, east])


def prepare(axes: Axes, title: str = "") -> None:
    """Turn Axes into an empty map: sea, land, frame; no ticks."""
    frame = _frame()
    axes.add_patch(Polygon(frame, closed=True, facecolor=SEA, edgecolor="#888888", linewidth=0.6, zorder=0))
    axes.add_patch(PathPatch(land_outline(), facecolor=LAND, edgecolor="none", zorder=1))
    axes.add_patch(PathPatch(land_outline(), facecolor="none", edgecolor="#555555", linewidth=0.35, zorder=3))
    margin = 0.01 * np.ptp(frame[:, 0])
    axes.set_xlim(frame[:, 0].min() - margin, frame[:, 0].max() + margin)
    axes.set_ylim(frame[:, 1].min() - margin, frame[:, 1].max() + margin)
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.set_title(title)


def fill_cells(
    axes: Axes,
    lat: np.ndarray,
    lon: np.ndarray,
    values: np.ndarray,
    degrees: float,
    cmap: str,
    norm: Normalize,
) -> PolyCollection:
    """Colour grid cells given by their centres.

    Parameters
    ----------
    axes
        A prepared map.
    lat, lon, values
        (cell,); missing values stay uncoloured.
    degrees
        Cell size.
    cmap, norm
        Colours.
    """
    keep = np.isfinite(values)
    # Meridians are curved in this projection: large cells need points along their sides.
    steps = 5 if degrees > 2 else 2
    side = np.linspace(-0.5, 0.5, steps) * degrees
    ring_lon = np.concatenate([side, np.full(steps, side[-1]), side[::-1], np.full(steps, side[0])])
    ring_lat = np.concatenate([np.full(steps, side[0]), side, np.full(steps, side[-1]), side[::-1]])
    corner_lon = np.clip(np.asarray(lon)[keep, None] + ring_lon, -180.0, 180.0)
    corner_lat = np.clip(np.asarray(lat)[keep, None] + ring_lat, -90.0, 90.0)
    cells = PolyCollection(
        list(project(corner_lon, corner_lat)),
        array=np.asarray(values)[keep],
        cmap=cmap,
        norm=norm,
        edgecolors="face",
        linewidths=0.2,
        rasterized=True,
        zorder=2,
    )
    axes.add_collection(cells)
    return cells


def points(axes: Axes, lat: np.ndarray, lon: np.ndarray, **style: object) -> PathCollection:
    """Scatter places on a prepared map."""
    where = project(np.asarray(lon), np.asarray(lat))
    return axes.scatter(where[:, 0], where[:, 1], **{"zorder": 4, **style})  # type: ignore[arg-type]
