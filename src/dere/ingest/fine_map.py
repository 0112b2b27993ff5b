"""Windows of a 300 m plant-type map: whole percent with the fill value that the file states (data-formats 2.3).

A layer of a year has 8.4e9 pixels, so nothing here reads more than a window of one layer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
from numpy.typing import NDArray

from dere.ingest.esacci_classes import LAYERS

BLOCK_PIXELS = 32_000_000
"""Pixels of a block, so that a block of bytes and what is computed from it stay below 0.2 GB."""


@dataclass(frozen=True)
class FineLayer:
    """One layer of one year.

    Parameters
    ----------
    name
        Layer.
    variable
        The open variable, without automatic masks and scales.
    source
        File name for messages.
    """

    name: str
    variable: Any
    source: str

    def read(self, rows: slice, columns: slice) -> tuple[NDArray, NDArray[np.bool_] | None]:
        """Percent of a window (row, column) in the file's own type, and which pixels are known (None = all).

        Raises
        ------
        ValueError
            When the window cannot be read, or a known pixel is no percentage.
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
        if str(getattr(self.variable, "_Unsigned", "false")).lower() == "true":
            raw = raw.view(f"u{raw.dtype.itemsize}")
        known = self._known(raw)
        values = raw if known is None else raw[known]
        if values.size and (values.min() < 0 or values.max() > 100):
            odd = values[(values < 0) | (values > 100)]
            raise ValueError(
                f"{self.source}: layer {self.name} holds {odd[0]} at {odd.size} pixels of rows {rows.start} to "
                f"{rows.stop}, but 0 to 100 percent or the fill value {self.fill} is expected; state the fill value in "
                "the file or download it again"
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
        if raw.dtype.kind != "f" and raw.size and raw.min() >= 0 and raw.max() <= 100 and not self._fill_is_percent():
            return None
        known = np.isfinite(raw) if raw.dtype.kind == "f" else np.ones(raw.shape, bool)
        if self.fill is not None:
            known &= raw != self.fill
        return None if known.all() else known

    def _fill_is_percent(self) -> bool:
        return self.fill is not None and 0 <= self.fill <= 100

    def blocks(self) -> Iterator[tuple[slice, slice]]:
        """Windows of whole chunks that cover the layer, each chunk in one window."""
        shape = self.variable.shape[-2:]
        chunking = self.variable.chunking()
        chunks = shape if chunking == "contiguous" else chunking[-2:]
        yield from whole_chunks(shape, chunks, BLOCK_PIXELS, contiguous=chunking == "contiguous")


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
def open_fine_map(path: Path) -> Iterator[FineMap]:
    """Open a map and check its variables.

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        Truncated or not NetCDF; missing layers or coordinates; other dimensions.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; correct sources.cover.path or download it again")
    try:
        dataset = netCDF4.Dataset(path)
    except (OSError, RuntimeError) as error:
        raise ValueError(
            f"{path} ({path.stat().st_size} bytes) cannot be read as NetCDF ({error}); it is truncated or of another "
            "format: delete it and download it again"
        ) from None
    with dataset:
        dataset.set_auto_maskandscale(False)
        yield _checked(dataset, path.name)


def _checked(dataset: netCDF4.Dataset, source: str) -> FineMap:
    variables = dataset.variables
    missing = [name for name in LAYERS if name not in variables]
    if missing:
        raise ValueError(
            f"{source} has no layer {', '.join(missing)}, but all 14 hyphen-named layers are needed; download the map "
            "again"
        )
    axes = {}
    for name in ("lat", "lon"):
        if name not in variables or variables[name].ndim != 1:
            raise ValueError(f"{source} has no coordinate {name} of pixel centres, but it is needed; add it")
        axes[name] = np.asarray(variables[name][:], np.float64)
    for name in LAYERS:
        layer = variables[name]
        if layer.dimensions not in (("time", "lat", "lon"), ("lat", "lon")) or (layer.ndim == 3 and len(layer) != 1):
            shape = dict(zip(layer.dimensions, layer.shape, strict=True))
            raise ValueError(
                f"{source}: layer {name} has dimensions {shape}, but time = 1, lat, lon are expected; take the map of "
                "one year as published"
            )
        if layer.dtype.kind not in "iuf":
            raise ValueError(f"{source}: layer {name} holds {layer.dtype}, but numbers are expected; download it again")
        if getattr(layer, "scale_factor", 1) != 1 or getattr(layer, "add_offset", 0) != 0:
            raise ValueError(
                f"{source}: layer {name} is packed with scale_factor and add_offset, but plain percent is expected; "
                "take the map as published"
            )
    return FineMap(source, axes["lat"], axes["lon"], {n: FineLayer(n, variables[n], source) for n in LAYERS})
