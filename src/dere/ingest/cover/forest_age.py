"""Maps of forest age: GFAD v1.1 and the MPI-BGC map at 1 km.

Poulter and others 2019, doi 10.1594/PANGAEA.897392; Besnard and others 2021, doi 10.5194/essd-13-4881-2021.

Both become weights of the run's stand ages by cell (lat, lon, age) that sum to 1, by the rule of ``age_intervals``;
cells without forest are NaN. Harmonise gives those the stated priors of what grows there.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.ingest.cover.age_intervals import age_edges, class_shares
from dere.ingest.cover.fine_map import FineMap, map_of, open_netcdf
from dere.ingest.cover.pixel_grid import PixelGrid, pixel_grid, pixel_size
from dere.ingest.simulation.mask_orientation import check_map_upright
from dere.io import read_netcdf
from dere.variables import VARIABLES

log = logging.getLogger(__name__)

GFAD_CLASSES, GFAD_TYPES = 15, 4
GFAD_LOWER = tuple(10.0 * i for i in range(GFAD_CLASSES))
GFAD_UPPER = (*(10.0 * (i + 1) for i in range(GFAD_CLASSES - 1)), np.inf)
"""Ten-year classes 1-10 ... 131-140, then older than 140."""
SATURATION = 299.0
"""Ages of the MPI-BGC map from here on say only that a stand is older: the product saturates near 300 years."""
_OLDEST = 1000.0
_SUM_TOLERANCE = 1e-2
_FILL = -9999.0
_BLOCK_PIXELS = 4_000_000


def parse_gfad(dataset: xr.Dataset, ages: Sequence[int], degrees: float, source: str) -> xr.Dataset:
    """Weights of stand ages from GFAD.

    Parameters
    ----------
    dataset
        ``age`` (Class 15, PFT 4, lat, lon), fraction; fill -9999 stated or not.
    ages
        Stand ages of the run.
    degrees
        Cell size of the run; cells finer than the map keep the map's grid.
    source
        File name for messages.

    Returns
    -------
    xarray.Dataset
        ``age_weight`` (lat, lon, age), latitude from north to south; NaN without forest. The four forest types count
        together. A coarser cell is the area-weighted mean of its parts with forest.

    Raises
    ------
    ValueError
        Another variable or other dimensions, fractions outside 0 to 1, sums above 1, no forest at all, and what
        :func:`~dere.ingest.cover.pixel_grid.pixel_grid` checks.
    """
    if "age" not in dataset or set(dataset["age"].dims) != {"Class", "PFT", "lat", "lon"}:
        found = {name: variable.dims for name, variable in dataset.data_vars.items()}
        raise ValueError(f"{source} holds {found}, but age (Class, PFT, lat, lon) is expected; take GFAD_V1-1.nc")
    age = dataset["age"].transpose("Class", "PFT", "lat", "lon")
    if age.shape[:2] != (GFAD_CLASSES, GFAD_TYPES):
        raise ValueError(
            f"{source}: age has {age.shape[0]} classes and {age.shape[1]} forest types, but {GFAD_CLASSES} and "
            f"{GFAD_TYPES} are expected; take GFAD_V1-1.nc"
        )
    for name in ("Class", "PFT"):
        numbered = name in dataset.coords and dataset[name].dtype.kind in "fiu"
        if numbered and not (np.diff(dataset[name].to_numpy()) > 0).all():
            raise ValueError(
                f"{source}: {name} runs {dataset[name].to_numpy()[:4].tolist()} ..., but classes from young to old and "
                "types in their order are expected; take GFAD_V1-1.nc as published"
            )
    for name in ("lat", "lon"):
        if name not in dataset.coords:
            raise ValueError(f"{source} has no coordinate {name} of cell centres, but it is needed; take GFAD_V1-1.nc")
    lat, lon = dataset["lat"].to_numpy(), dataset["lon"].to_numpy()
    size = abs(pixel_size(lat, "lat", source))
    grid = pixel_grid(lat, lon, max(degrees, size), source)
    if age.dtype.kind not in "fiu":
        raise ValueError(f"{source}: age holds {age.dtype}, but fractions are expected; download the file again")
    values = age.to_numpy().astype(np.float64)
    values[values == _FILL] = np.nan
    # infinity is out of range
    known = ~np.isnan(values)
    if known.any() and (values[known].min() < 0 or values[known].max() > 1 + _SUM_TOLERANCE):
        raise ValueError(
            f"{source}: age reaches from {values[known].min():g} to {values[known].max():g}, but fractions of 0 to 1 "
            f"or the fill value {_FILL:g} are expected; convert percent to fractions"
        )
    shares = np.where(known, values, 0.0).sum(axis=1)  # (class, lat, lon)
    total = shares.sum(axis=0)
    if total.max() > 1 + _SUM_TOLERANCE:
        raise ValueError(
            f"{source}: the fractions of classes and types sum to {total.max():g}, but at most 1 is possible; take "
            "GFAD_V1-1.nc"
        )
    forest = total > 0
    _require_forest(forest, source)
    off = int((np.abs(total[forest] - 1) > _SUM_TOLERANCE).sum())
    log.info(
        "%s: %d of %d cells have forest, in %d of them fractions do not sum to 1",
        source,
        forest.sum(),
        forest.size,
        off,
    )
    shares = np.where(forest, shares / np.where(forest, total, 1.0), 0.0)
    sums = np.zeros((*grid.shape, GFAD_CLASSES))
    rows, columns = np.flatnonzero(grid.row >= 0), np.flatnonzero(grid.column >= 0)
    where = (grid.row[rows][:, None], grid.column[columns][None])
    weight = grid.weight[rows][:, None, None]
    np.add.at(sums, where, np.moveaxis(shares, 0, -1)[np.ix_(rows, columns)] * weight)
    return _dataset(sums @ class_shares(GFAD_LOWER, GFAD_UPPER, ages), grid, ages, source)


def parse_mpi_bgc(fine: FineMap, ages: Sequence[int], degrees: float) -> xr.Dataset:
    """Weights of stand ages from a histogram of pixels by cell, each pixel weighted by its area.

    Parameters
    ----------
    fine
        Open map with one layer of ages in years.
    ages, degrees
        As for :func:`parse_gfad`; ``degrees`` must be a multiple of the pixel.

    Raises
    ------
    ValueError
        Ages below 0 or absurd, no forest at all, and what :func:`~dere.ingest.cover.pixel_grid.pixel_grid` checks.
    """
    (layer,) = fine.layers.values()
    grid = pixel_grid(fine.lat, fine.lon, degrees, fine.source)
    edges = age_edges(ages)
    bins = len(ages) + 1  # the last one holds what is saturated
    sums = np.zeros((*grid.shape, bins))
    for rows, columns in layer.blocks(_BLOCK_PIXELS):
        values, known = layer.read(rows, columns)
        inside = (grid.row[rows] >= 0)[:, None] & (grid.column[columns] >= 0)[None]
        inside = inside if known is None else inside & known
        row, column = np.nonzero(inside)
        years = values[row, column]
        at = np.where(years >= SATURATION, bins - 1, np.searchsorted(edges[1:-1], years, side="right"))
        cell = grid.row[rows][row] * grid.shape[1] + grid.column[columns][column]
        # only the cells of this block: a histogram of all of them would cost more than the block itself
        first = int(cell.min()) if cell.size else 0
        part = np.bincount((cell - first) * bins + at, grid.weight[rows][row])
        flat = sums.reshape(-1)
        flat[first * bins : first * bins + len(part)] += part
    _require_forest(sums, fine.source)
    weights = sums[..., :-1] + sums[..., -1:] * class_shares([SATURATION], [np.inf], ages)[0]
    log.info("%s: %d of %d cells have forest", fine.source, int((sums.sum(-1) > 0).sum()), sums[..., 0].size)
    return _dataset(weights, grid, ages, fine.source)


def _require_forest(amount: NDArray, source: str) -> None:
    if not amount.any():
        raise ValueError(
            f"{source} has no cell with forest, but at least one is needed; check the region and the fill value"
        )


def _dataset(amount: NDArray[np.float64], grid: PixelGrid, ages: Sequence[int], source: str) -> xr.Dataset:
    """Amounts (lat, lon, age) as weights that sum to 1."""
    total = amount.sum(axis=-1, keepdims=True)
    check_map_upright(total[..., 0] > 0, grid.lat, grid.lon, source)
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = np.where(total > 0, amount / total, np.nan)
    return xr.Dataset(
        {"age_weight": (("lat", "lon", "age"), weight, VARIABLES["age_weight"].attrs)},
        coords={
            "lat": ("lat", grid.lat, {"units": "degrees_north"}),
            "lon": ("lon", grid.lon, {"units": "degrees_east"}),
            "age": list(ages),
        },
    )


def read_gfad(path: Path, ages: Sequence[int], degrees: float) -> xr.Dataset:
    """Read ``GFAD_V1-1.nc`` (see :func:`parse_gfad`)."""
    path = Path(path)
    return parse_gfad(read_netcdf(path), ages, degrees, path.name)


def read_mpi_bgc(path: Path, ages: Sequence[int], degrees: float, tree_cover: int = 10) -> xr.Dataset:
    """Read ``..._BGIForestAgeMPIBGC1.0.0.nc`` by windows (see :func:`parse_mpi_bgc`).

    Parameters
    ----------
    path
        File.
    ages, degrees
        As for :func:`parse_mpi_bgc`.
    tree_cover
        Pixels with at least this tree cover in percent count: 0, 10, 20 or 30.
    """
    path = Path(path)
    with open_netcdf(path) as dataset:
        name = f"ForestAge_TC{tree_cover:03d}"
        fine = map_of(dataset, path.name, [name], ("latitude", "longitude"), _OLDEST, "years")
        return parse_mpi_bgc(fine, ages, degrees)
