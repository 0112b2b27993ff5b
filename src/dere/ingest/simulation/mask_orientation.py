"""Which way a land mask lies: row 0 in the north or south, column 0 at 180 W or at Greenwich, decided by coastlines."""

from __future__ import annotations

import logging
from itertools import product

import numpy as np
from numpy.typing import NDArray

from dere.world.geography import is_land

log = logging.getLogger(__name__)

_SAMPLE = 3000
_ACCEPTED = 0.8
_MARGIN = 0.15
_ENOUGH_LAND = 50
Orientation = tuple[str, str]
"""Row order (north or south) and origin of the columns (180 or 0)."""


def mask_degrees(shape: tuple[int, ...], source: str) -> float:
    """Cell size of a global mask.

    Raises
    ------
    ValueError
        When the shape is not (n, 2 n).
    """
    if len(shape) != 2 or shape[1] != 2 * shape[0] or shape[0] < 6:
        raise ValueError(
            f"{source} has shape {shape}, but a global mask is (rows, 2 x rows), (360, 720) for 0.5 degrees; use the "
            "published file"
        )
    return 180.0 / shape[0]


def centres(
    row: NDArray, column: NDArray, degrees: float, orientation: Orientation
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Latitude and longitude of cells (-180..180) under an orientation."""
    lat = 90.0 - degrees * (np.asarray(row) + 0.5)
    west = -180.0 if orientation[1] == "180" else 0.0
    lon = (west + degrees * (np.asarray(column) + 0.5) + 180.0) % 360.0 - 180.0
    return (lat if orientation[0] == "north" else -lat), lon


def land_scores(mask: NDArray[np.bool_], degrees: float) -> dict[Orientation, float]:
    """Share of the mask's land cells that touch real land, for each of the four orientations.

    A cell counts when its centre or the middle of a quadrant lies within the 1:110 million coastlines. Antarctica is
    not in them, cells south of 60 S do not count under any orientation.
    """
    row, column = np.nonzero(mask)
    step = max(1, len(row) // _SAMPLE)
    row, column = row[::step], column[::step]
    scores = {}
    for rows, origin in product(("north", "south"), ("180", "0")):
        lat, lon = centres(row, column, degrees, (rows, origin))
        counted = np.abs(lat) < 60.0
        hit = np.zeros(int(counted.sum()), bool)
        for dlat, dlon in ((0, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)):
            hit |= is_land(lat[counted] + dlat * degrees / 4, lon[counted] + dlon * degrees / 4)
        scores[rows, origin] = float(hit.mean()) if hit.size else 0.0
    return scores


def orientation_of(mask: NDArray[np.bool_], row_order: str, source: str) -> Orientation:
    """Decide the orientation of a mask.

    Parameters
    ----------
    mask
        (row, column), True on land.
    row_order
        ``auto``, or ``north`` or ``south`` when the user knows.
    source
        File name for messages.

    Raises
    ------
    ValueError
        When the mask fits no orientation, or two alike.
    """
    scores = land_scores(mask, mask_degrees(mask.shape, source))
    allowed = {key: value for key, value in scores.items() if row_order in ("auto", key[0])}
    ranked = sorted(allowed, key=lambda key: -allowed[key])
    best, second = ranked[0], ranked[1]
    listed = ", ".join(f"row 0 {key[0]} and column 0 at {key[1]}: {value:.0%}" for key, value in scores.items())
    log.info("%s: land cells on real land with %s", source, listed)
    if row_order != "auto":
        clear = allowed[best] - allowed[second] >= _MARGIN
        # the user's word stands; 180 is the usual origin
        return best if clear else (row_order, "180")
    if allowed[best] < _ACCEPTED or allowed[best] - allowed[second] < _MARGIN:
        raise ValueError(
            f"{source} does not show where its rows begin ({listed}), but one orientation must fit at least "
            f"{_ACCEPTED:.0%} and {_MARGIN:.0%} better than the others; use the published mask, or set "
            "sources.simulation.row_order to north or south"
        )
    log.info("%s: row 0 is in the %s, column 0 at longitude %s", source, best[0], "-180" if best[1] == "180" else "0")
    return best


def check_map_upright(land: NDArray[np.bool_], lat: NDArray, lon: NDArray, source: str) -> None:
    """Check a map with coordinates by :func:`check_upright`, where it is one of the globe.

    Parameters
    ----------
    land
        (lat, lon), True on land.
    lat, lon
        Centres from north to south and from west to east.
    source
        File name for messages.
    """
    degrees = 180.0 / len(lat)
    off = abs(lat[0] - (90 - degrees / 2)) + abs(lon[0] - (degrees / 2 - 180))
    if land.shape[1] == 2 * land.shape[0] and off < degrees / 4:
        check_upright(land, degrees, source)


def check_upright(mask: NDArray[np.bool_], degrees: float, source: str) -> None:
    """Check that a mask whose place is stated does not lie on real land only when it is turned.

    Parameters
    ----------
    mask
        (row, column) of the globe, True on land; row 0 is the northernmost, column 0 begins at 180 W.
    degrees
        Cell size.
    source
        File name for messages.

    Raises
    ------
    ValueError
        When rows from the south, columns from Greenwich or columns to the west fit coastlines, and the stated order
        does not.
    """
    if int(mask.sum()) < _ENOUGH_LAND:
        return
    scores = {
        f"row 0 in the {rows}, column 0 at longitude {'-180' if origin == '180' else '0'}{way}": score
        for way, turned in (("", mask), (" and columns from east to west", mask[:, ::-1]))
        for (rows, origin), score in land_scores(turned, degrees).items()
    }
    stated = next(iter(scores.values()))
    best = max(scores, key=lambda key: scores[key])
    if scores[best] >= _ACCEPTED and scores[best] - stated >= 2 * _MARGIN:
        raise ValueError(
            f"{source}: {stated:.0%} of its land cells lie on real land, but {scores[best]:.0%} do with {best}; its "
            "values run another way than its coordinates: turn one of them"
        )
