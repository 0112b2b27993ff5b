"""Plant types around towers, read directly from the 300 m maps (docs/data.md#plant-types-and-stand-ages).

The window of a tower is its pixel, the pixel with its eight neighbours, or all pixels whose centre lies within half a
side of a square of some kilometres. Windows go on across the date line of a global map, take each meridian once near
a pole, and end at the pole and at the edge of a region. Pixels count by their area.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.ingest.checks import check_coordinates
from dere.ingest.cover.esacci_aggregate import MINIMUM_SHARE
from dere.ingest.cover.esacci_classes import LAYERS
from dere.ingest.cover.fine_map import FineLayer, FineMap, open_fine_map
from dere.ingest.cover.pixel_grid import pixel_size, runs
from dere.ingest.grid import EARTH_RADIUS

log = logging.getLogger(__name__)

WindowSize = float | Literal["3x3"]
KM_PER_DEGREE = np.deg2rad(EARTH_RADIUS) / 1000.0


@dataclass(frozen=True)
class Window:
    """Pixels around a tower.

    Parameters
    ----------
    rows
        Consecutive pixel rows.
    columns
        Pixel columns, each once; consecutive but for the date line.
    weight
        Cosine of latitude of each row.
    """

    rows: slice
    columns: NDArray[np.int64]
    weight: NDArray[np.float64]


def window_of(lat: float, lon: float, fine: FineMap, size: WindowSize) -> Window | None:
    """Pixels around a point; None when the point lies outside the map.

    Parameters
    ----------
    lat, lon
        Degrees.
    fine
        Map of the globe or of a region.
    size
        Side of the square in km (0 = the pixel), or "3x3".
    """
    size_lat, size_lon = (abs(pixel_size(axis, n, fine.source)) for n, axis in (("lat", fine.lat), ("lon", fine.lon)))
    count = len(fine.lon)
    around = abs(size_lon * count - 360.0) < size_lon / 2
    # a pole is the edge of its row, not the row beyond
    inner = np.clip(lat, -90 + size_lat / 4, 90 - size_lat / 4)
    row_at, column_at = _position(fine.lat, inner), _position(fine.lon, lon)
    if around:
        column_at %= count
    row, column = int(np.floor(row_at + 0.5)), int(np.floor(column_at + 0.5))
    if around:
        column %= count
    if not (0 <= row < len(fine.lat) and 0 <= column < count):
        return None
    if size == "3x3":
        half_rows = half_columns = 1.0
        row_at, column_at = float(row), float(column)
    else:
        half_rows = size / 2 / KM_PER_DEGREE / size_lat
        # the whole circle of latitude at most
        half_columns = min(half_rows * size_lat / size_lon / max(np.cos(np.deg2rad(inner)), 1e-9), count / 2 + 1)
    rows = _within(row_at, half_rows, row)
    rows = rows[(rows >= 0) & (rows < len(fine.lat))]
    columns = _within(column_at, half_columns, column)
    columns = np.unique(columns % count) if around else columns[(columns >= 0) & (columns < count)]
    return Window(slice(int(rows[0]), int(rows[-1]) + 1), columns, np.cos(np.deg2rad(fine.lat[rows])))


def _position(axis: NDArray, value: float) -> float:
    """Number of pixels from the first centre to ``value``."""
    return float((value - axis[0]) / ((axis[-1] - axis[0]) / (len(axis) - 1)))


def _within(position: float, half: float, own: int) -> NDArray[np.int64]:
    """Consecutive pixels whose centre lies within ``half`` pixels, and the own one."""
    return np.arange(min(int(np.ceil(position - half)), own), max(int(np.floor(position + half)), own) + 1)


def window_mean(layer: FineLayer, window: Window) -> tuple[float, float]:
    """Mean of the known pixels of a window, weighted by area, and their share of its area."""
    total = weight = 0.0
    starts, _ = runs(window.columns - np.arange(len(window.columns)))
    ends = np.r_[starts[1:], len(window.columns)]
    for start, end in zip(starts, ends, strict=True):
        columns = slice(int(window.columns[start]), int(window.columns[end - 1]) + 1)
        block, known = layer.read(window.rows, columns)
        weights = np.broadcast_to(window.weight[:, None], block.shape)
        weights = weights if known is None else weights * known
        values = block if known is None else np.where(known, block, 0)
        total += float((values * weights).sum())
        weight += float(weights.sum())
    share = weight / (float(window.weight.sum()) * len(window.columns))
    return (total / weight if weight > 0 else np.nan), share


def sample(fine: FineMap, year: int, sites: pd.DataFrame, size: WindowSize) -> pd.DataFrame:
    """Rows of the pixel table for the sites that the map covers.

    Parameters
    ----------
    fine
        Open map.
    year
        Its year.
    sites
        SITE_ID, lat, lon.
    size
        As for :func:`window_of`.

    Returns
    -------
    pandas.DataFrame
        SITE_ID, year, the 14 layers in percent, ``pixels``, ``source`` (file name). Sites outside the map, and those
        of whose window less than half is known, have no row.
    """
    windows: dict[str, Window] = {}
    for site, lat, lon in zip(sites["SITE_ID"].astype(str), sites["lat"], sites["lon"], strict=True):
        check_coordinates(lat, lon, f"tower {site}")
        window = window_of(lat, lon, fine, size)
        if window is not None:
            windows[site] = window
    # neighbours after each other, so that a chunk of the file is read once for them
    order = sorted(windows, key=lambda site: (windows[site].rows.start // 2025, int(windows[site].columns[0])))
    values = {site: np.full(len(LAYERS), np.nan) for site in order}
    for index, name in enumerate(LAYERS):
        for site in order:
            mean, share = window_mean(fine.layers[name], windows[site])
            values[site][index] = mean if share >= MINIMUM_SHARE else np.nan
    known = [site for site in values if np.isfinite(values[site]).all()]
    table = pd.DataFrame([values[site] for site in known], columns=list(LAYERS))
    table.insert(0, "SITE_ID", known)
    table.insert(1, "year", year)
    table["pixels"] = [
        (windows[site].rows.stop - windows[site].rows.start) * len(windows[site].columns) for site in known
    ]
    table["source"] = fine.source
    return table.sort_values("SITE_ID", ignore_index=True)


def sample_files(maps: Mapping[int, Path], sites: pd.DataFrame, size: WindowSize) -> pd.DataFrame:
    """Rows of all years (see :func:`sample`) for the sites that every year covers with land.

    A site in pure water, such as a platform or a tower with rounded coordinates on a shore, has no row: its own table,
    the map cell or its class then serve.

    Raises
    ------
    ValueError
        All that the reading of maps and windows checks; sites with impossible coordinates.
    """
    tables = []
    for year, path in maps.items():
        with open_fine_map(path) as fine:
            tables.append(sample(fine, year, sites, size))
        log.info("%s: %d of %d sites lie in the map", path.name, len(tables[-1]), len(sites))
    table = pd.concat(tables, ignore_index=True)
    wet = set(table.loc[table["WATER"] >= 100, "SITE_ID"])
    years = table.groupby("SITE_ID")["year"].count()
    partly = set(years.index[years < len(maps)])
    for names, why in ((wet, "lie in pure water"), (partly - wet, "are not in the maps of every year")):
        if names:
            log.warning("%d sites %s and get no row of their own (%s)", len(names), why, ", ".join(sorted(names)[:5]))
    return table[~table["SITE_ID"].isin(wet | partly)].sort_values(["SITE_ID", "year"], ignore_index=True)
