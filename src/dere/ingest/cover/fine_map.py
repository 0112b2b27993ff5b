"""Windows of maps too large to load, with the fill value that the file states.

A layer of one year's 300 m plant types has 8.4e9 pixels, so nothing here reads more than a window of one layer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
from numpy.typing import NDArray

from dere.ingest.cover.esacci_classes import LAYERS
from dere.netcdf_sizes import require_held
from dere.regular_file import require_regular

BLOCK_PIXELS = 32_000_000
"""Pixels of a block, so that a block of bytes and what is computed from it stay below 0.2 GB."""


@dataclass(frozen=True)
class FineLayer:
    """One layer of a map.

    Parameters
    ----------
    name
        Layer.
    variable
        The open variable, without automatic masks and scales, (row, column) or (1, row, column).
    source
        File name for messages.
    top
        Largest possible value; the least is 0.
    unit
        Unit of the values, for messages.
    """

    name: str
    variable: Any
    source: str
    top: float = 100.0
    unit: str = "percent"

    def read(self, rows: slice, columns: slice) -> tuple[NDArray, NDArray[np.bool_] | None]:
        """Values of a window (row, column), and which pixels are known (None = all).

        Values keep the file's type unless the file packs them with a scale.

        Raises
        ------
        ValueError
            When the window cannot be read, or a known pixel is out of range.
        """
        try:
            raw = np.asarray(
                self.variable[0, rows, columns] if self.variable.ndim == 3 else self.variable[rows, columns]
            )
        except (OSError, RuntimeError) as error:
            raise ValueError(
                f"{self.source}: layer {self.name} cannot be read at rows {rows.start} to {rows.stop} ({error}); the "
                "file is truncated: delete it and download it again"
            ) from None
        raw = raw.view(self._type())
        known = self._known(raw)
        scale = float(getattr(self.variable, "scale_factor", 1.0)), float(getattr(self.variable, "add_offset", 0.0))
        if scale != (1.0, 0.0):
            raw = raw * scale[0] + scale[1]
        values = raw if known is None else raw[known]
        if values.size and (values.min() < 0 or values.max() > self.top):
            odd = values[(values < 0) | (values > self.top)]
            raise ValueError(
                f"{self.source}: layer {self.name} holds {odd[0]} at {odd.size} pixels of rows {rows.start} to "
                f"{rows.stop}, but 0 to {self.top:g} {self.unit} or the fill value {self.fill} is expected; state the "
                "fill value in the file or download it again"
            )
        return raw, known

    @property
    def fill(self) -> float | None:
        """Fill value that the file states; else NetCDF's own, which bytes do not have."""
        stated = getattr(self.variable, "_FillValue", getattr(self.variable, "missing_value", None))
        kind = self.variable.dtype.str[1:]
        if stated is None:
            return None if kind in ("u1", "i1") else float(netCDF4.default_fillvals[kind])
        # a signed byte that stands for an unsigned one
        return float(np.asarray(stated).astype(self.variable.dtype).view(self._type()))

    def _type(self) -> np.dtype:
        unsigned = str(getattr(self.variable, "_Unsigned", "false")).lower() == "true"
        return np.dtype(f"u{self.variable.dtype.itemsize}") if unsigned else self.variable.dtype

    def _known(self, raw: NDArray) -> NDArray[np.bool_] | None:
        fill = self.fill
        # the usual block without a gap: two quick looks instead of a mask
        if raw.dtype.kind != "f" and fill is not None and (raw.max() < fill or raw.min() > fill):
            return None
        # NaN is missing, infinity is out of range
        known = ~np.isnan(raw) if raw.dtype.kind == "f" else np.ones(raw.shape, bool)
        if fill is not None:
            known &= raw != fill
        return None if known.all() else known

    def blocks(self, pixels: int | None = None) -> Iterator[tuple[slice, slice]]:
        """Windows of whole chunks that cover the layer, each chunk in one window of about ``pixels``."""
        shape = self.variable.shape[-2:]
        chunking = self.variable.chunking()
        chunks = shape if chunking == "contiguous" else chunking[-2:]
        yield from whole_chunks(shape, chunks, pixels or BLOCK_PIXELS, contiguous=chunking == "contiguous")


def whole_chunks(
    shape: tuple[int, ...], chunks: tuple[int, ...], pixels: int, contiguous: bool = False
) -> Iterator[tuple[slice, slice]]:
    """Windows of at most about ``pixels`` that never cut a chunk; a contiguous array is cut by rows."""
    if contiguous:
        chunks = (1, shape[1])
    height, width = (min(chunk, size) for chunk, size in zip(chunks, shape, strict=True))
    width = min(shape[1], width * max(1, pixels // (height * width)))
    height *= max(1, pixels // (height * width))
    for row in range(0, shape[0], height):
        for column in range(0, shape[1], width):
            yield slice(row, min(row + height, shape[0])), slice(column, min(column + width, shape[1]))


@dataclass(frozen=True)
class FineMap:
    """One year's open map: pixel centres and layers by name."""

    source: str
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    layers: dict[str, FineLayer]


@contextmanager
def open_netcdf(path: Path) -> Iterator[netCDF4.Dataset]:
    """Open a file for windowed reads of the stored values.

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        Truncated or not NetCDF.
    """
    path = Path(path)
    require_regular(path, "correct its path under sources.cover or download it again")
    try:
        dataset = netCDF4.Dataset(path)
    except (OSError, RuntimeError) as error:
        raise ValueError(
            f"{path} ({path.stat().st_size} bytes) cannot be read as NetCDF ({error}); it is truncated or of another "
            "format: delete it and download it again"
        ) from None
    with dataset:
        require_held(path, ((name, *_sizes(v)) for name, v in dataset.variables.items()))
        dataset.set_auto_maskandscale(False)
        yield dataset


def _sizes(variable: netCDF4.Variable) -> tuple[dict[str, int], int]:
    """Dimensions of a variable and its bytes; a text counts as one."""
    shape = dict(zip(variable.dimensions, variable.shape, strict=True))
    return shape, math.prod(variable.shape) * getattr(variable.dtype, "itemsize", 1)


@contextmanager
def open_fine_map(path: Path) -> Iterator[FineMap]:
    """Open one year's 300 m plant types and check the variables.

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        All that :func:`open_netcdf` and :func:`map_of` check.
    """
    with open_netcdf(path) as dataset:
        yield map_of(dataset, Path(path).name, LAYERS, ("lat", "lon"))


def map_of(
    dataset: netCDF4.Dataset,
    source: str,
    names: Sequence[str],
    axes: tuple[str, str],
    top: float = 100.0,
    unit: str = "percent",
) -> FineMap:
    """Layers of an open file.

    Parameters
    ----------
    dataset
        Open file without automatic masks and scales.
    source
        File name for messages.
    names
        Layers that are needed.
    axes
        Names of latitude and longitude.
    top, unit
        Largest possible value, and its unit.

    Raises
    ------
    ValueError
        Missing layers or coordinates; other dimensions; no numbers.
    """
    variables = dataset.variables
    missing = [name for name in names if name not in variables]
    if missing:
        raise ValueError(
            f"{source} has no layer {', '.join(missing)}, but {len(names)} named as the product does are needed; "
            "download the map again"
        )
    centres = []
    for name in axes:
        if name not in variables or variables[name].ndim != 1:
            raise ValueError(f"{source} has no coordinate {name} of pixel centres, but it is needed; add it")
        centres.append(np.asarray(variables[name][:], np.float64))
    for name in names:
        layer = variables[name]
        if layer.dimensions not in (("time", *axes), axes) or (layer.ndim == 3 and len(layer) != 1):
            shape = dict(zip(layer.dimensions, layer.shape, strict=True))
            raise ValueError(
                f"{source}: layer {name} has dimensions {shape}, but time = 1, {', '.join(axes)} are expected; take "
                "the map as published"
            )
        # text has the type str, which knows no kind
        if getattr(layer.dtype, "kind", "U") not in "iuf":
            raise ValueError(f"{source}: layer {name} holds {layer.dtype}, but numbers are expected; download it again")
    lat, lon = centres
    return FineMap(source, lat, lon, {name: FineLayer(name, variables[name], source, top, unit) for name in names})
