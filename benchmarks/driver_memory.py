"""Peak memory of the data for KGML pre-training: drivers once per cell, against a copy of the drivers for every age.

Run: python benchmarks/driver_memory.py [--cells 100]. The naive way is that of the published code
(docs/deviations.md#drivers-in-memory): the loader repeats the drivers over the 18 ages, copies them, and normalises
them, with one row of drivers per target sequence. Ours reads the canonical files. Each way is a process of its own that
reads the same values from disk and assembles a training batch of all ages of some cells; the batches must agree. Memory
is the peak of the process less what was resident once the program was loaded.
"""

from __future__ import annotations

import argparse
import logging
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import xarray as xr
from measuring import forget_peak, parser, peak_mb, same, start, table
from published_size import YEARS_OF_AGE
from torch import Tensor

from dere import exchange as exchanges
from dere.channels import DIURNAL, SOIL_LAYERS, SOIL_PROPERTIES
from dere.harmonise.drivers import stack
from dere.io import read_netcdf, write_netcdf
from dere.training.read_places import cell_places
from dere.training.simulation import MIXTURE_ALONE, read_stands
from dere.training.windows import MIXTURE, simulated_states, windows_of
from dere.variables import PLANT_TYPES, STANDS, TARGETS

log = logging.getLogger(__name__)

BATCH = 2
"""Cells of the batch that both ways assemble."""
WAYS = ("a copy of the drivers for every age", "drivers once per cell, all stands", "drivers once per cell")


def write(folder: Path, cells: int, months: int, ages: tuple[int, ...], seed: int = 0) -> None:
    """Invented canonical files, and the same values as plain arrays for the naive way."""
    rng = np.random.default_rng(seed)
    time = pd.date_range("1993-01-01", periods=months, freq="MS") + pd.Timedelta(days=14)
    years = np.arange(1992, 1993 + months // 12)

    def random(*shape: int) -> np.ndarray:
        return rng.random(shape, np.float32)

    member = {"cell": np.arange(cells)}
    drivers = xr.Dataset(
        {name: (("cell", "time"), random(cells, months)) for name in ("air_temperature", "precipitation",
                                                                     "disturbance_rate")}
        | {name: (("cell", "time", "hour"), random(cells, months, 24)) for name in ("co2_hourly", *DIURNAL)}
        | {"soil_temperature": (("cell", "time", "layer"), random(cells, months, SOIL_LAYERS)),
           "soil": (("cell", "soil_property"), random(cells, len(SOIL_PROPERTIES))),
           "static": (("cell", "attribute"), random(cells, 20))},
        coords=member | {"time": time, "soil_property": list(SOIL_PROPERTIES),
                         "attribute": [f"attribute{number}" for number in range(20)],
                         "lat": ("cell", np.zeros(cells)), "lon": ("cell", np.arange(cells, dtype=float))},
        attrs={"driver_set": "carbonglobe136"},
    )  # fmt: skip
    state = random(cells, len(STANDS), len(ages), months + 1, len(TARGETS))
    shares = random(cells, len(ages), len(years), len(PLANT_TYPES))
    simulation = xr.Dataset(
        {"state": (("cell", "stand", "age", "time", "target"), state[:, :, :, 1:]),
         "initial_state": (("cell", "stand", "age", "target"), state[:, :, :, 0]),
         "plant_fraction": (("cell", "age", "year", "plant_type"), shares)},
        coords=member | {"stand": list(STANDS), "age": list(ages), "time": time, "target": list(TARGETS),
                         "year": years, "plant_type": list(PLANT_TYPES)},
    )  # fmt: skip
    cover = xr.Dataset(
        {"plant_fraction": (("cell", "year", "plant_type"), shares[:, 0]),
         "vegetated_fraction": (("cell", "year"), random(cells, len(years))),
         "age_weight": (("cell", "age"), random(cells, len(ages)))},
        coords=member | {"year": years, "age": list(ages), "plant_type": list(PLANT_TYPES)},
    )  # fmt: skip
    for name, dataset in (("drivers", drivers), ("simulation", simulation), ("cover", cover)):
        write_netcdf(dataset, folder / f"{name}.nc")
    mixture = STANDS.index("mixture")
    x = stack(drivers, "carbonglobe136")[0]
    np.save(folder / "x.npy", x)
    statistics = [x.mean((0, 1), dtype=float), x.std((0, 1), dtype=float) + 1e-6]
    np.save(folder / "statistics.npy", np.array(statistics, np.float32))
    np.save(folder / "y.npy", state[:, mixture])


def naive(folder: Path) -> tuple[Tensor, ...]:
    """Repeat, copy and normalise the drivers; rows are (cell, age) pairs."""
    x, y = np.load(folder / "x.npy"), np.load(folder / "y.npy")
    ages = y.shape[1]
    mean, std = np.load(folder / "statistics.npy")
    repeated = np.repeat(x[:, None], ages, axis=1).reshape(-1, *x.shape[1:])
    raw = repeated.copy()
    normalised = (repeated - mean) / std
    targets = y.reshape(-1, *y.shape[2:])
    rows = BATCH * ages
    assert raw.shape == normalised.shape
    return tuple(torch.from_numpy(v) for v in (normalised[:rows], targets[:rows, 0], targets[:rows, 1:]))


def ours(folder: Path, stands: tuple[str, ...]) -> tuple[Tensor, ...]:
    """As the pre-training reads; the batch is brought to rows of (cell, age) pairs for the comparison only."""
    exchange = exchanges.get(exchanges.DEFAULT)
    drivers, simulation = read_netcdf(folder / "drivers.nc"), read_stands(folder / "simulation.nc", stands)
    places = cell_places(
        drivers,
        simulation,
        read_netcdf(folder / "cover.nc"),
        pd.DataFrame(columns=["id", "kind", "cluster"]),
        satellites=False,
        channels="none",
        window=drivers.sizes["time"],
        stride=drivers.sizes["time"],
        exchange=exchange,
    )
    windows = windows_of(places, simulated=simulated_states(simulation, exchange.states))
    index, every = torch.arange(BATCH), torch.arange(len(windows.ages))
    mean, std = torch.from_numpy(np.load(folder / "statistics.npy"))
    x = (windows.inputs(index)[0] - mean) / std
    before, within = windows.states(index, MIXTURE, every)
    return x.repeat_interleave(len(every), dim=0), before.flatten(0, 1), within.flatten(0, 1)


def one(way: str, folder: Path) -> None:
    """Print the memory (MB) that a way takes, and keep its batch."""
    read_netcdf(folder / "cover.nc")  # loads the libraries
    before = forget_peak()
    batch = naive(folder) if way == WAYS[0] else ours(folder, STANDS if way == WAYS[1] else MIXTURE_ALONE)
    used = peak_mb() - before
    torch.save(batch, folder / f"batch{WAYS.index(way)}.pt")
    print(used)


def measure(folder: Path, cells: int, months: int, ages: tuple[int, ...]) -> dict[str, float]:
    """Peak memory (MB) of each way; checks that they agree."""
    write(folder, cells, months, ages)
    peaks = {}
    for way in WAYS:
        command = [sys.executable, __file__, "--way", way, "--folder", str(folder)]
        peaks[way] = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    batches = {way: torch.load(folder / f"batch{number}.pt") for number, way in enumerate(WAYS)}
    log.info("batches agree to %.0e", same(batches))
    return peaks


def main(given: list[str] | None = None) -> None:
    options: argparse.ArgumentParser = parser(__doc__, 1)
    options.add_argument("--cells", type=int, default=100)
    options.add_argument("--folder", type=Path, help="for the files (default: a temporary one)")
    options.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    arguments = options.parse_args(given)
    if arguments.way:
        one(arguments.way, arguments.folder)
        return
    start(arguments)
    cells, months, ages = (4, 24, (1, 20, 200)) if arguments.tiny else (arguments.cells, 336, YEARS_OF_AGE)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        peaks = measure(Path(folder), cells, months, ages)
    first = peaks[WAYS[0]]
    rows = [[way, f"{peak:.0f}", f"{first / peak:.1f}"] for way, peak in peaks.items()]
    log.info("\n%s", table([f"{cells} cells, {months} months, {len(ages)} ages", "peak (MB)", "times less"], rows))


if __name__ == "__main__":
    main()
