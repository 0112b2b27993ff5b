"""Aggregation of one 300 m plant-type layer to half a degree: blocks of whole chunks against strips of 180 rows.

Run: python benchmarks/esacci_aggregation.py [--rows 8100] [--folder /tmp]; --rows 64800 is a whole layer of a year.
The file is synthetic (patches with noise), of the product's width, type, chunks and compression. Each way runs in a
process of its own; times are given as ratios to the plain reading of every chunk once, measured in the same run. All
ways must give the same means.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import netCDF4
import numpy as np

from dere.ingest.cover.esacci_aggregate import aggregate_layer
from dere.ingest.cover.fine_map import FineMap, map_of, open_netcdf
from dere.ingest.cover.pixel_grid import pixel_grid

log = logging.getLogger(__name__)

COLUMNS, CHUNK, CELL, LAYER = 129_600, 2025, 180, "TREES-BD"
STRIP_CACHE = 400_000_000
"""Bytes of HDF5's chunk cache that hold all chunks which a strip of 180 rows touches."""


def chunks_of_percent(count: int, seed: int = 0) -> list[np.ndarray]:
    """Invented chunks: patches of 5 x 5 pixels, one pixel in ten with a value of its own."""
    rng = np.random.default_rng(seed)
    chunks = []
    for _ in range(count):
        patches = rng.integers(0, 101, (405, 405), np.uint8) * (rng.random((405, 405)) < 0.4)
        chunk = patches.repeat(5, 0).repeat(5, 1).astype(np.uint8)
        noisy = rng.random(chunk.shape) < 0.1
        chunk[noisy] = rng.integers(0, 101, int(noisy.sum()), np.uint8)
        chunks.append(chunk)
    return chunks


def write_map(path: Path, rows: int) -> None:
    """One layer of percent, chunk by chunk; 17 different ones take turns."""
    chunks = itertools.cycle(chunks_of_percent(17))
    size = 1 / 360
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.title = "synthetic"
        for name, count, start, step in (("lat", rows, 90.0, -size), ("lon", COLUMNS, -180.0, size)):
            dataset.createDimension(name, count)
            dataset.createVariable(name, "f8", (name,))[:] = start + step * (np.arange(count) + 0.5)
        dataset.createDimension("time", 1)
        layer = dataset.createVariable(
            LAYER, "u1", ("time", "lat", "lon"), zlib=True, complevel=1, chunksizes=(1, CHUNK, CHUNK), fill_value=255
        )
        for row, column in itertools.product(range(0, rows, CHUNK), range(0, COLUMNS, CHUNK)):
            layer[0, row : row + CHUNK, column : column + CHUNK] = next(chunks)[: rows - row]


def blocks(fine: FineMap) -> np.ndarray:
    """Our way."""
    return aggregate_layer(fine.layers[LAYER], pixel_grid(fine.lat, fine.lon, 0.5, fine.source))[0]


def strips(fine: FineMap) -> np.ndarray:
    """A strip of 180 rows after the other, as it comes to mind."""
    variable, means = fine.layers[LAYER].variable, []
    for row in range(0, len(fine.lat) // CELL * CELL, CELL):
        strip = variable[0, row : row + CELL].reshape(CELL, -1, CELL)
        weight = np.cos(np.deg2rad(fine.lat[row : row + CELL]))
        means.append(weight @ strip.sum(axis=2, dtype=np.int64) / (weight.sum() * CELL))
    return np.array(means)


def cached_strips(fine: FineMap) -> np.ndarray:
    """The same with a cache that holds all chunks of a strip."""
    fine.layers[LAYER].variable.set_var_chunk_cache(STRIP_CACHE, 1009, 0.75)
    return strips(fine)


def reading(fine: FineMap) -> np.ndarray:
    """Nothing but reading every chunk once."""
    for rows, columns in fine.layers[LAYER].blocks():
        fine.layers[LAYER].read(rows, columns)
    return np.zeros(0)


WAYS = {way.__name__: way for way in (reading, blocks, cached_strips, strips)}


def measure(way: str, path: Path, result: Path) -> None:
    """Run one way and save its means, seconds and peak memory."""
    with open_netcdf(path) as dataset:
        fine = map_of(dataset, path.name, [LAYER], ("lat", "lon"))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        began = time.perf_counter()
        means = WAYS[way](fine)
        seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    np.savez(result, means=means, seconds=seconds, peak=peak, before=before)


def main() -> int:
    """Write the map, run every way, log the table; status 1 when the means differ."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=8100)
    parser.add_argument("--folder", type=Path, default=None, help="where the synthetic map may lie (it is removed)")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--measure", nargs=3, metavar=("WAY", "MAP", "RESULT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        way, path, result = arguments.measure
        measure(way, Path(path), Path(result))
        return 0
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        path = Path(folder) / "ESACCI-LC-L4-PFT-Map-300m-P1Y-2001-v2.0.8.nc"
        write_map(path, arguments.rows)
        pixels = arguments.rows * COLUMNS
        log.info("%d x %d pixels, %.2f GB in memory, %.2f GB on disk", arguments.rows, COLUMNS, pixels / 1e9,
                 path.stat().st_size / 1e9)  # fmt: skip
        found = {}
        for way in arguments.ways:
            result = Path(folder) / f"{way}.npz"
            subprocess.run([sys.executable, __file__, "--measure", way, str(path), str(result)], check=True)
            with np.load(result) as saved:
                found[way] = {name: saved[name] for name in saved.files}
            one = found[way]
            log.info(
                "%-14s %7.1f s  %5.2f x reading  %6.0f Mpixel/s  peak memory %5.0f MB (%.0f MB before)",
                way, one["seconds"], one["seconds"] / found[arguments.ways[0]]["seconds"],
                pixels / one["seconds"] / 1e6, one["peak"], one["before"],
            )  # fmt: skip
    same = [np.abs(found[way]["means"] - found["blocks"]["means"]).max() for way in found if "strips" in way]
    log.info("largest difference of the means: %.1e percent", max(same, default=0.0))
    return int(max(same, default=0.0) > 1e-9)


if __name__ == "__main__":
    sys.exit(main())
