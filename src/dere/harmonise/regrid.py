"""Conservative regridding between regular latitude-longitude grids, exact and separable.

The part of a target cell that a source cell covers is a rectangle in longitude and the sine of latitude, so that its
area is the product of two overlaps: one sparse matrix per axis does the work of the usual list of cell pairs (first
order conservative remapping after Jones 1999, doi 10.1175/1520-0493(1999)127<2204:FASOCR>2.0.CO;2, with cells bounded
by parallels and meridians instead of great circles). Latitudes may run either way, longitudes from 0 or from -180, a
grid may cover a region only, and the first and last row may be points at the poles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import sparse

STEP_TOLERANCE = 1e-3
"""Largest departure of a step from the mean step of a regular axis, relative; float32 coordinates pass."""
COVERED = 1e-9
"""Smaller covered shares of a target cell are rounding of the edges, not data."""


def latitude_edges(centres: NDArray, what: str = "lat") -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Southern and northern edge of each row, degrees; rows never reach past a pole.

    Raises
    ------
    ValueError
        When the axis is not regular or leaves the Earth.
    """
    centres, step = _regular(centres, what)
    if np.abs(centres).max() > 90 + STEP_TOLERANCE:
        raise ValueError(f"{what} reaches {centres[np.abs(centres).argmax()]:g}, -90 to 90 is expected; correct it")
    half = abs(step) / 2
    low, high = centres - half, centres + half
    # an edge that rounding puts beside a pole is the pole
    low[np.abs(low + 90) < STEP_TOLERANCE * half] = -90.0
    high[np.abs(high - 90) < STEP_TOLERANCE * half] = 90.0
    return np.maximum(low, -90.0), np.minimum(high, 90.0)


def longitude_edges(centres: NDArray, what: str = "lon") -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Western and eastern edge of each column, degrees east, increasing, of any origin.

    Raises
    ------
    ValueError
        When the axis is not regular, runs westwards, or is longer than the globe.
    """
    centres, step = _regular(centres, what)
    width = step * len(centres)
    if step < 0 or width > 360 + STEP_TOLERANCE * step:
        raise ValueError(f"{what} runs over {width:g} degrees eastwards, 0 to 360 is expected; sort or cut it")
    if abs(width - 360) < STEP_TOLERANCE * step:
        step = 360.0 / len(centres)
        centres = centres[0] + step * np.arange(len(centres))
    return centres - step / 2, centres + step / 2


def _regular(centres: NDArray, what: str) -> tuple[NDArray[np.float64], float]:
    """Axis in float64 with exactly equal steps, and the step."""
    centres = np.asarray(centres, np.float64)
    if centres.ndim != 1 or len(centres) < 2 or not np.isfinite(centres).all():
        raise ValueError(f"{what} has shape {centres.shape} or missing values, at least two coordinates are expected")
    step = float(centres[-1] - centres[0]) / (len(centres) - 1)
    worst = float(np.abs(np.diff(centres) - step).max())
    if not worst < STEP_TOLERANCE * abs(step):
        raise ValueError(
            f"{what} has steps that differ from {step:g} degrees by up to {worst:g}, a regular grid is expected; "
            "regrid the file first"
        )
    return centres[0] + step * np.arange(len(centres)), step


def overlaps(
    source: tuple[NDArray, NDArray], target: tuple[NDArray, NDArray], period: float | None = None
) -> sparse.csr_array:
    """Length that each source interval shares with each target interval, sparse (target, source).

    Parameters
    ----------
    source, target
        Lower and upper ends; intervals of one axis do not overlap each other.
    period
        The source repeats after this length.
    """
    low, high = (np.asarray(ends, np.float64) for ends in source)
    index = np.arange(len(low))
    if period is not None:
        start, stop = float(np.min(target[0])), float(np.max(target[1]))
        first, last = int(np.floor((start - high.max()) / period)), int(np.ceil((stop - low.min()) / period))
        shifts = period * np.arange(first, last + 1)
        index = np.tile(index, len(shifts))
        low, high = (np.add.outer(shifts, ends).ravel() for ends in (low, high))
    order = np.argsort(low)
    low, high, index = low[order], high[order], index[order]
    begin = np.searchsorted(high, target[0], side="right")
    count = np.maximum(np.searchsorted(low, target[1], side="left") - begin, 0)
    row = np.repeat(np.arange(len(count)), count)
    column = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(begin, count)
    shared = np.minimum(high[column], target[1][row]) - np.maximum(low[column], target[0][row])
    shape = (len(count), len(source[0]))
    return sparse.coo_array((np.maximum(shared, 0.0), (row, index[column])), shape).tocsr()


@dataclass(frozen=True)
class Regridder:
    """Weights between two grids; build with ``between``.

    Parameters
    ----------
    rows, columns
        Overlaps in the sine of latitude (target lat, source lat) and in longitude (target lon, source lon; radian).
    area
        (target lat, target lon) area of the target cells on the unit sphere.
    lat, lon
        Centres of the target grid.
    """

    rows: sparse.csr_array
    columns: sparse.csr_array
    area: NDArray[np.float64]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]

    @classmethod
    def between(cls, source_lat: NDArray, source_lon: NDArray, target_lat: NDArray, target_lon: NDArray) -> Regridder:
        """Weights from the centres of two regular grids.

        Raises
        ------
        ValueError
            As ``latitude_edges`` and ``longitude_edges``.
        """
        south, north = (np.sin(np.radians(ends)) for ends in latitude_edges(target_lat, "target lat"))
        west, east = longitude_edges(target_lon, "target lon")
        parallels = tuple(np.sin(np.radians(ends)) for ends in latitude_edges(source_lat, "source lat"))
        meridians = longitude_edges(source_lon, "source lon")
        return cls(
            overlaps((parallels[0], parallels[1]), (south, north)),
            overlaps(meridians, (west, east), period=360.0) * np.radians(1.0),
            np.multiply.outer(north - south, np.radians(east - west)),
            np.asarray(target_lat, np.float64),
            np.asarray(target_lon, np.float64),
        )

    def integral(self, values: NDArray) -> NDArray[np.float64]:
        """Integral over each target cell, unit sphere: (..., source lat, source lon) to (..., target lat, lon)."""
        values = np.asarray(values, np.float64)
        leading = values.shape[:-2]
        flat = values.reshape(-1, *values.shape[-2:])
        return np.stack([(self.columns @ (self.rows @ part).T).T for part in flat]).reshape(*leading, *self.area.shape)

    def mean(self, values: NDArray, weight: NDArray | None = None, minimum_valid: float = 0.0) -> NDArray[np.float64]:
        """Mean over the part of each target cell that has values.

        Parameters
        ----------
        values
            (..., source lat, source lon); NaN = missing.
        weight
            Share of each source cell that counts (a vegetated fraction, say), broadcastable; default 1; NaN = 0.
        minimum_valid
            Target cells of which a smaller share of the area has values, counted with the weight, become NaN; those
            without any do always.

        Returns
        -------
        array
            (..., target lat, target lon); mean times valid area, added up, is the integral of the source.
        """
        values = np.asarray(values, np.float64)
        share = np.isfinite(values).astype(np.float64)
        if weight is not None:
            share = share * np.nan_to_num(np.asarray(weight, np.float64))
        valid = self.integral(share)
        total = self.integral(np.where(share > 0, values, 0.0) * share)
        enough = valid / self.area >= max(minimum_valid - COVERED, COVERED)
        return np.divide(total, valid, out=np.full_like(total, np.nan), where=enough)


def regrid(array: xr.DataArray, regridder: Regridder, minimum_valid: float = 0.0) -> xr.DataArray:
    """Conservative mean of an array (..., lat, lon) on the target grid; dask arrays stay dask along the other dims."""
    result = xr.apply_ufunc(
        regridder.mean,
        array,
        kwargs={"minimum_valid": minimum_valid},
        input_core_dims=[["lat", "lon"]],
        output_core_dims=[["lat", "lon"]],
        exclude_dims={"lat", "lon"},
        dask="parallelized",
        output_dtypes=[np.float64],
        dask_gufunc_kwargs={"output_sizes": dict(zip(("lat", "lon"), regridder.area.shape, strict=True))},
        keep_attrs=True,
    )
    return result.assign_coords(lat=regridder.lat, lon=regridder.lon)
