"""Exact means of the 300 m ESA CCI plant-type maps over the cells of a coarser grid (Harper and others 2023).

A layer of a year has 64800 x 129600 pixels in chunks of 2025 x 2025, and a cell of half a degree 180 x 180 of them.
Neither size divides the other, so blocks of whole chunks are read, each chunk once, and sums by cell are accumulated
across blocks: sums along a row of pixels are exact integers, rows are then weighted in double precision.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.ingest.cover.esacci_classes import LAYERS, check_layers
from dere.ingest.cover.esacci_names import year_of
from dere.ingest.cover.fine_map import FineLayer, FineMap, open_fine_map
from dere.ingest.cover.pixel_grid import PixelGrid, pixel_grid, runs
from dere.io import write_netcdf

log = logging.getLogger(__name__)

Array = NDArray[np.float64]

MINIMUM_SHARE = 0.5
"""Cells of which a smaller share is known have no data."""
_POLAR_LATITUDE = 80.0
_CACHED_PIXELS = 1 << 18


def row_sums(block: NDArray, starts: NDArray[np.int64]) -> NDArray:
    """Sums along each row of the runs that begin at ``starts``, (row, run); exact for whole percent.

    NumPy widens what it sums as a whole: a few rows at a time stay in the processor's cache, which is three times as
    fast and takes no memory.
    """
    wide = np.float64 if block.dtype.kind == "f" else np.int32
    sums = np.empty((len(block), len(starts)), wide)
    rows = max(1, _CACHED_PIXELS // block.shape[1])
    for row in range(0, len(block), rows):
        np.add.reduceat(block[row : row + rows], starts, axis=1, dtype=wide, out=sums[row : row + rows])
    return sums


def add_block(
    block: NDArray,
    known: NDArray[np.bool_] | None,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    weight: Array,
    sums: Array,
    weights: Array,
) -> None:
    """Add a block of pixels to the sums of their cells.

    Parameters
    ----------
    block
        Pixels, (row, column).
    known
        Which of them are known; None = all.
    rows, columns
        Cell row of each pixel row and cell column of each pixel column, monotonic, -1 outside.
    weight
        Weight of each pixel row.
    sums, weights
        (cell row, cell column), get the sums of weight x value and of weight.
    """
    row_starts, row_cells = runs(rows)
    column_starts, column_cells = runs(columns)
    if known is None:
        count = np.diff(np.r_[column_starts, len(columns)])[None].repeat(len(rows), axis=0)
    else:
        block = np.where(known, block, block.dtype.type(0))
        count = row_sums(known, column_starts)
    by_column = row_sums(block, column_starts)  # (pixel row, cell column)
    keep = np.ix_(row_cells >= 0, column_cells >= 0)
    where = np.ix_(row_cells[row_cells >= 0], column_cells[column_cells >= 0])
    sums[where] += np.add.reduceat(by_column * weight[:, None], row_starts, axis=0)[keep]
    weights[where] += np.add.reduceat(count * weight[:, None], row_starts, axis=0)[keep]


def aggregate_layer(layer: FineLayer, grid: PixelGrid, area_weights: bool = True) -> tuple[Array, Array]:
    """Mean of the known pixels of each cell, and the known share of the cell, both (lat, lon).

    Parameters
    ----------
    layer
        Pixels, read block by block.
    grid
        Cells of the pixels.
    area_weights
        Weight pixels by the cosine of their latitude; otherwise alike.
    """
    sums, weights = np.zeros(grid.shape), np.zeros(grid.shape)
    weight = grid.weight if area_weights else np.ones_like(grid.weight)
    for rows, columns in layer.blocks():
        if (grid.row[rows] >= 0).any() and (grid.column[columns] >= 0).any():
            block, known = layer.read(rows, columns)
            add_block(block, known, grid.row[rows], grid.column[columns], weight[rows], sums, weights)
    whole = np.bincount(grid.row[grid.row >= 0], weight[grid.row >= 0], minlength=grid.shape[0]) * grid.factor
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(weights > 0, sums / weights, np.nan), weights / whole[:, None]


def aggregate_map(fine: FineMap, degrees: float, year: int, area_weights: bool = True) -> xr.Dataset:
    """One year's map on a coarser grid, in the form of the product's own aggregated maps.

    Parameters
    ----------
    fine
        Open 300 m map of the globe or of a region.
    degrees
        Cell size, a multiple of the pixel size that divides 180.
    year
        Year of the map.
    area_weights
        Weight pixels by the cosine of their latitude; otherwise alike.

    Returns
    -------
    xarray.Dataset
        Layers in percent (time, lat, lon) as float32, latitude from north to south; NaN in cells of which less than
        ``MINIMUM_SHARE`` is known; ``lat_bounds``, ``lon_bounds``.

    Raises
    ------
    ValueError
        All that :func:`~dere.ingest.cover.pixel_grid.pixel_grid` and the reading of blocks check; layers known at
        different pixels; layers that do not sum to 100; a globe upside down.
    """
    grid = pixel_grid(fine.lat, fine.lon, degrees, fine.source)
    left = int((grid.row < 0).sum()), int((grid.column < 0).sum())
    if any(left):
        log.info("%s: %d rows and %d columns of pixels belong to no complete cell, left out", fine.source, *left)
    means, share = [], None
    for number, name in enumerate(LAYERS, 1):
        began = time.perf_counter()
        mean, known = aggregate_layer(fine.layers[name], grid, area_weights)
        if share is not None and np.abs(known - share).max() > 1e-9:
            raise ValueError(
                f"{fine.source}: layer {name} is known at other pixels than {LAYERS[0]} in "
                f"{int((np.abs(known - share) > 1e-9).sum())} cells, but the layers must be known together; download "
                "it again"
            )
        share = known
        means.append(np.where(known >= MINIMUM_SHARE, mean, np.nan))
        log.info("%d: layer %d of %d, %s, %.1f s", year, number, len(LAYERS), name, time.perf_counter() - began)
    layers = np.stack(means)
    check_layers(np.moveaxis(layers, 0, -1), fine.source)
    _check_poles(layers[LAYERS.index("WATER")], grid, fine.source)
    return _product_form(layers, grid, year, fine.source, area_weights)


def _check_poles(water: Array, grid: PixelGrid, source: str) -> None:
    """Refuse a map of the globe whose north has the land of the south: its latitudes are exchanged."""
    north, south = water[grid.lat > _POLAR_LATITUDE], water[grid.lat < -_POLAR_LATITUDE]
    if north.size and south.size and np.nanmean(north) < np.nanmean(south):
        raise ValueError(
            f"{source}: WATER is {np.nanmean(north):.0f} percent north of {_POLAR_LATITUDE:g} and "
            f"{np.nanmean(south):.0f} south of it, but the Arctic is sea and the Antarctic land; turn the latitudes"
        )


def _product_form(layers: Array, grid: PixelGrid, year: int, source: str, area_weights: bool) -> xr.Dataset:
    half = grid.degrees / 2
    data = {
        name: (("time", "lat", "lon"), layers[i][None].astype(np.float32), {"units": "%", "long_name": name})
        for i, name in enumerate(LAYERS)
    }
    return xr.Dataset(
        {
            **data,
            "lat_bounds": (("lat", "bounds"), np.stack([grid.lat + half, grid.lat - half], axis=1)),
            "lon_bounds": (("lon", "bounds"), np.stack([grid.lon - half, grid.lon + half], axis=1)),
        },
        coords={
            "time": ("time", np.array([f"{year}-01-01"], dtype="datetime64[ns]")),
            "lat": ("lat", grid.lat, {"standard_name": "latitude", "units": "degrees_north"}),
            "lon": ("lon", grid.lon, {"standard_name": "longitude", "units": "degrees_east"}),
        },
        attrs={
            "title": f"ESA CCI plant functional types, mean over cells of {grid.degrees:g} degrees",
            "source": source,
            "comment": f"{grid.factor} x {grid.factor} pixels per cell, weighted "
            + ("by the cosine of latitude" if area_weights else "alike"),
        },
    )


def aggregate_file(path: Path, output: Path, degrees: float, area_weights: bool = True) -> Path:
    """Aggregate the 300 m map ``path`` to ``output``; nothing half-written stays.

    Raises
    ------
    FileNotFoundError
        When the map is missing.
    ValueError
        Another name than the product's, and all that :func:`aggregate_map` checks.
    """
    path = Path(path)
    year = year_of(path.name)
    if year is None:
        raise ValueError(f"{path.name} is not named like a plant-type map; name it as the product does")
    began = time.perf_counter()
    with open_fine_map(path) as fine:
        dataset = aggregate_map(fine, degrees, year, area_weights)
        pixels = len(fine.lat) * len(fine.lon) * len(LAYERS)
    seconds = time.perf_counter() - began
    log.info("%s: %.3g pixels in %.0f s (%.0f million per second)", path.name, pixels, seconds, pixels / seconds / 1e6)
    return write_netcdf(dataset, output)
