"""Regular pixels, and the cells of a coarser global grid that they fill.

Pixel edges must lie on the cells' edges: then every pixel belongs to one cell and a cell's mean is exact. A file of a
region has complete cells and, along its border, pixels of cells that it only touches; those pixels are left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# share of a pixel by which coordinates may be off: single precision at 180 degrees is 0.5 % of 1/360 degree
_TOLERANCE = 0.1


@dataclass(frozen=True)
class PixelGrid:
    """Which cell holds each row and column of pixels.

    Parameters
    ----------
    degrees
        Cell size.
    factor
        Pixels along a cell's side.
    lat, lon
        Centres of the complete cells, north to south and west to east.
    row, column
        Index into ``lat`` of each pixel row and into ``lon`` of each pixel column; -1 outside the complete cells.
    weight
        Cosine of latitude of each pixel row, proportional to the pixels' area.
    """

    degrees: float
    factor: int
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    weight: NDArray[np.float64]

    @property
    def shape(self) -> tuple[int, int]:
        """Number of complete cells along latitude and longitude."""
        return len(self.lat), len(self.lon)


def remedy_beyond(name: str, values: NDArray) -> str:
    """What to do about coordinates beyond the globe: longitudes from 0 to 360 are told apart from exchanged axes."""
    if name == "lon" and values.min() >= 0 and 180 < values.max() <= 360:
        return "its longitudes count from Greenwich to 360: subtract 360 beyond 180 and sort the file by lon"
    return "correct or exchange the coordinates"


def pixel_size(axis: NDArray, name: str, source: str) -> float:
    """Step of an axis of pixel centres in degrees; negative when it falls.

    Raises
    ------
    ValueError
        When a coordinate is missing, the axis too short or uneven, or off the globe.
    """
    values = np.asarray(axis, np.float64)
    limit = 90.0 if name == "lat" else 180.0
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(
            f"{source}: coordinate {name} has shape {values.shape}, but two or more pixel centres along one axis are "
            "needed; take the map as published"
        )
    if not np.isfinite(values).all():
        raise ValueError(
            f"{source}: {int((~np.isfinite(values)).sum())} of {len(values)} values of {name} are missing, but every "
            "pixel centre is needed; take the map as published"
        )
    if np.abs(values).max() > limit:
        raise ValueError(
            f"{source}: {name} reaches {np.abs(values).max():g}, but {limit:g} is the limit; "
            + remedy_beyond(name, values)
        )
    step = (values[-1] - values[0]) / (len(values) - 1)
    even = values[0] + step * np.arange(len(values))
    steps = np.diff(np.sort(values))
    if (
        not (np.diff(values) > 0).all()
        and not (np.diff(values) < 0).all()
        and np.ptp(steps) < _TOLERANCE * steps.mean()
    ):
        raise ValueError(
            f"{source}: {name} is regular but not sorted (from {values[0]:g} to {values[-1]:g}), but pixels in the "
            f"order of the map are needed; sort the file by {name}, in xarray d.sortby('{name}')"
        )
    if step == 0 or np.abs(values - even).max() > _TOLERANCE * abs(step):
        raise ValueError(
            f"{source}: {name} does not change evenly from {values[0]:g} to {values[-1]:g}, but a regular grid is "
            "needed; take the map as published"
        )
    return float(step)


def pixel_grid(lat: NDArray, lon: NDArray, degrees: float, source: str) -> PixelGrid:
    """Assign pixels to cells of ``degrees``.

    Parameters
    ----------
    lat, lon
        Pixel centres in degrees, regular, in either order.
    degrees
        Cell size of a global grid whose edges start at 90 N, 180 W; a multiple of the pixel size.
    source
        File name for messages.

    Raises
    ------
    ValueError
        All that :func:`pixel_size` checks; cells that pixels do not fill evenly; no complete cell.
    """
    cells_lat, rows = _along("lat", lat, -1.0, degrees, source)
    cells_lon, columns = _along("lon", lon, 1.0, degrees, source)
    size = abs(pixel_size(lat, "lat", source))
    return PixelGrid(
        degrees=degrees,
        factor=round(degrees / size),
        lat=cells_lat,
        lon=cells_lon,
        row=rows,
        column=columns,
        weight=np.cos(np.deg2rad(np.asarray(lat, np.float64))),
    )


def _along(
    name: str, axis: NDArray, direction: float, degrees: float, source: str
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Centres of the complete cells along an axis, and the cell of each pixel."""
    step = pixel_size(axis, name, source)
    size, count = abs(step), len(axis)
    start, span = (90.0, 180.0) if name == "lat" else (-180.0, 360.0)
    factor, cells = round(degrees / size), round(span / degrees)
    if factor < 1 or abs(degrees / size - factor) > 1e-3 * factor or abs(span / degrees - cells) > 1e-6 * cells:
        raise ValueError(
            f"{source}: pixels of {size:g} degrees do not fill cells of {degrees:g} degrees evenly along {name}; set "
            "sources.cover.aggregate_degrees to a multiple of the pixel size that divides 180"
        )
    # number of the pixel in a global map, counted from the northern or western edge
    exact = direction * (np.asarray(axis, np.float64) - start) / size - 0.5
    first = exact[0] if step * direction > 0 else exact[-1]
    if abs(first - round(first)) > _TOLERANCE:
        raise ValueError(
            f"{source}: the pixel edges along {name} lie {abs(first - round(first)):.2f} pixels off a grid that starts "
            f"at {start:g}, so that cells cut pixels; take the map as published"
        )
    ascending = round(first) + np.arange(count)
    cell = (ascending if step * direction > 0 else ascending[::-1]) // factor
    complete = range(math.ceil(ascending[0] / factor), (ascending[-1] + 1) // factor)
    if not len(complete):
        raise ValueError(
            f"{source}: {count} pixels along {name} from {float(axis[0]):g} to {float(axis[-1]):g} fill no cell of "
            f"{degrees:g} degrees; choose a smaller sources.cover.aggregate_degrees or a larger region"
        )
    inside = (cell >= complete.start) & (cell < complete.stop)
    centres = start + direction * degrees * (np.arange(complete.start, complete.stop) + 0.5)
    return centres.astype(np.float64), np.where(inside, cell - complete.start, -1).astype(np.int64)


def runs(index: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First position and value of each run of equal values.

    ``numpy.add.reduceat`` over the first positions then sums the runs.
    """
    starts = np.flatnonzero(np.r_[True, np.diff(index) != 0])
    return starts, index[starts]
