"""One year's aggregated ESA CCI map: read in single precision, averaged over coarser cells, looked up at points.

The product's own tool writes 2160 x 4320 cells by default, of which one year's fourteen layers are 0.5 GB in single
precision. So one year is held at a time, and what is computed in double precision is computed for a few rows at a time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.blocks import slices
from dere.ingest.cover.esacci_classes import LAYERS, check_layers
from dere.ingest.cover.esacci_dates import check_year
from dere.ingest.cover.pixel_grid import PixelGrid, pixel_grid, remedy_beyond
from dere.ingest.grid import nearest
from dere.ingest.simulation.mask_orientation import check_map_upright
from dere.io import read_netcdf

log = logging.getLogger(__name__)

BAND_CELLS = 1 << 16
"""Map cells whose layers are in double precision at a time: 7 MB and what is computed of them."""
READING_BYTES = 160
"""Bytes per map cell while a year is read, measured: fourteen layers in single precision, a layer with its checks in
double, and the chunks that the NetCDF library keeps until the file is closed."""
# percent of water below which a cell is land
_LAND_WATER = 50.0
COPIES = 1.5
"""What is kept of all years is held so many times where harmonise reads it, measured."""


@dataclass(frozen=True)
class YearMap:
    """A year's map that was checked.

    Parameters
    ----------
    source
        File name for messages.
    lat, lon
        Cell centres in degrees, from north to south and from west to east.
    layers
        Percent as stored (layer, lat, lon), single precision; NaN = no data. They sum to 100 but for rounding.
    cells
        Coarser cells of the run that the map's cells fill, each of them completely; None = there are none.
    """

    source: str
    lat: NDArray
    lon: NDArray
    layers: NDArray[np.float32]
    cells: PixelGrid | None = None

    def percent(self, rows: slice | NDArray, columns: slice | NDArray = slice(None)) -> NDArray[np.float64]:
        """Percent of some cells (row, column, layer) in double precision, with sum 100; NaN = no data.

        Rows and columns may be paired index arrays; then the result is (point, layer).
        """
        values = np.ascontiguousarray(np.moveaxis(self.layers[:, rows, columns], 0, -1), np.float64)
        return values * (100.0 / values.sum(axis=-1, keepdims=True))

    def bands(self) -> Iterator[slice]:
        """Rows of about ``BAND_CELLS`` cells."""
        yield from slices(len(self.lat), max(1, BAND_CELLS // len(self.lon)))

    def at_points(self, lat: NDArray, lon: NDArray) -> NDArray[np.float64]:
        """Percent of the cells that hold points (point, layer), NaN outside the map and at unknown places."""
        row, row_inside = nearest(self.lat, lat)
        column, column_inside = nearest(self.lon, lon)
        return np.where((row_inside & column_inside)[:, None], self.percent(row, column), np.nan)


def read_year(path: Path, degrees: float | None = None, years: int = 1, memory: int | None = None) -> YearMap:
    """Read and check a year's aggregated map.

    Parameters
    ----------
    path
        NetCDF file.
    degrees
        Cell size of the run, whose cells are looked for in a finer map; None = the map is wanted as it is.
    years
        Number of maps of which something is kept.
    memory
        Bytes that the job may use; None = everything fits.

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        Truncated or no NetCDF; of another year than its name; too large for the memory; all that :func:`parse_map`
        checks.
    """
    path = Path(path)
    check_year(path)
    with read_netcdf(path, load=False) as dataset:
        try:
            return parse_map(dataset, path.name, degrees, years, memory)
        except (OSError, RuntimeError) as error:
            raise ValueError(
                f"{path} ({path.stat().st_size} bytes) cannot be read as NetCDF ({error}); it is truncated or of "
                "another format: delete it and make or download it again"
            ) from None


def parse_map(
    dataset: xr.Dataset, source: str, degrees: float | None = None, years: int = 1, memory: int | None = None
) -> YearMap:
    """One year's map, checked.

    Parameters
    ----------
    dataset
        Hyphen-named layers with dims lat, lon and perhaps a time of length 1, as decoded by xarray (fill values are
        NaN already, bytes may have become floats). Layers that are still on disk are read one after the other.
    source
        File name for messages.
    degrees, years, memory
        As for :func:`read_year`.

    Raises
    ------
    ValueError
        Missing layers or coordinates, impossible coordinates, layers that do not sum to 100, land of the globe that
        lies on real land only when it is turned; too large.
    """
    missing = [name for name in LAYERS if name not in dataset.variables]
    if missing:
        raise ValueError(
            f"{source} has no layer {', '.join(missing)}, but all 14 hyphen-named layers are needed; take the "
            "aggregated plant-type map of the product"
        )
    lat, lon = _axes(dataset, source)
    rows, columns = np.argsort(-lat, kind="stable"), np.argsort(lon, kind="stable")
    cells = nested_cells(lat[rows], lon[columns], degrees, source) if degrees else None
    _require_room(source, (len(lat), len(lon)), cells, years, memory)
    layers = np.empty((len(LAYERS), len(lat), len(lon)), np.float32)
    for index, name in enumerate(LAYERS):
        # sorted already in most files, where an index would copy the layer
        values = _layer(dataset, name, source)
        values = values if (np.diff(rows) == 1).all() else values[rows]
        layers[index] = values if (np.diff(columns) == 1).all() else values[:, columns]
    check_layers(np.moveaxis(layers, 0, -1), source)
    check_map_upright(layers[LAYERS.index("WATER")] < _LAND_WATER, lat[rows], lon[columns], source)
    return YearMap(source, lat[rows], lon[columns], layers, cells)


def _axes(dataset: xr.Dataset, source: str) -> tuple[NDArray, NDArray]:
    """Cell centres as they stand in the file."""
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
            f"the limits; {remedy_beyond('lon', lon)}"
        )
    return lat, lon


def _layer(dataset: xr.Dataset, name: str, source: str) -> NDArray:
    """One layer (lat, lon) in the order of the file."""
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
    # a selection, because xarray keeps what is read of the variable itself
    return layer.isel(lat=slice(None)).transpose("lat", "lon").to_numpy()


def nested_cells(lat: NDArray, lon: NDArray, degrees: float, source: str) -> PixelGrid | None:
    """Cells of the run that a finer map's cells fill; None where the map is not finer or any cell is filled in part.

    Parameters
    ----------
    lat, lon
        Cell centres of the map.
    degrees
        Cell size of the run, whose grid starts at 90 N, 180 W.
    source
        File name for messages.
    """
    sizes = [float(np.abs(np.diff(axis)).mean()) if len(axis) > 1 else np.inf for axis in (lat, lon)]
    if max(sizes) > degrees / 1.5:
        return None
    try:
        cells = pixel_grid(lat, lon, degrees, source)
    except ValueError:
        # irregular axes included: harmonise says what is wrong with them
        cells = None
    if cells is None or (cells.row < 0).any() or (cells.column < 0).any():
        log.info(
            "%s: cells of %g degrees do not fill cells of %g degrees, they are kept for regridding",
            source,
            sizes[0],
            degrees,
        )
        return None
    return cells


def _require_room(source: str, shape: tuple[int, int], cells: PixelGrid | None, years: int, memory: int | None) -> None:
    """Refuse a map that the job cannot hold."""
    kept = shape[0] * shape[1] if cells is None else cells.shape[0] * cells.shape[1]
    # three plant fractions, vegetated and land fraction of every year, and the mean of the layers
    need = READING_BYTES * shape[0] * shape[1] + COPIES * 4 * (5 * years + len(LAYERS)) * kept
    if memory is not None and need > memory:
        raise ValueError(
            f"{source} has {shape[0]} x {shape[1]} cells and {years} years are wanted, which take {need / 1e6:.1f} MB "
            f"where {memory / 1e6:.1f} MB are allowed; aggregate the maps to the run's grid or to cells that fill it "
            "evenly, or raise mem_mb of ingest_cover and harmonise"
        )


def averaged(fine: YearMap) -> YearMap:
    """Mean percent over the coarser cells of a map, its known cells weighted by their area.

    The layers are shares of the whole cell, WATER included, so that land and vegetation keep their weight: plant
    fractions of the mean are those that 300 m pixels would give. Coarser cells without a known one are NaN.
    """
    grid = fine.cells
    assert grid is not None
    size = len(fine.lat) // grid.shape[0], len(fine.lon) // grid.shape[1]
    layers = np.empty((len(LAYERS), *grid.shape), np.float32)
    for row in range(grid.shape[0]):
        rows = slice(row * size[0], (row + 1) * size[0])
        values = fine.percent(rows).reshape(size[0], grid.shape[1], size[1], len(LAYERS))
        known = ~np.isnan(values[..., 0])
        weight = grid.weight[rows][:, None, None] * known
        total = np.einsum("rcp,rcpl->lc", weight, np.nan_to_num(values))
        with np.errstate(invalid="ignore", divide="ignore"):
            layers[:, row] = total / weight.sum(axis=(0, 2))
    return YearMap(fine.source, grid.lat, grid.lon, layers)
