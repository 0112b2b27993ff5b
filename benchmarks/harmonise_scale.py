"""Ingest, harmonise and statistics at growing numbers of cells: time, memory, and speed against NumPy and the disk.

Run: python benchmarks/harmonise_scale.py --folder <scratch> [--cells 13538 27076 54152] [--years 2] [--memory-mb 1000]

A synthetic simulation of mixtures (18 ages, half a degree) is written for each size. Every step runs in a process of
its own; --limit-mb sets a hard limit on what it may allocate (RLIMIT_DATA). For comparison, in the same run: plain
NumPy that loads the same arrays whole, converts and reorders them and saves them; and the disk, which writes and reads
back as many bytes. Speeds are bytes of the states that come out, divided by wall time; whatever was read just before
comes from the page cache, for all of them alike. Peak memory is resident memory, mapped files included.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "fixtures"))
AGES = (1, 5, 10, 20, 30, 40, 50, 70, 100, 130, 160, 200, 250, 300, 350, 400, 450, 500)
STEPS = ("ingest", "harmonise", "statistics", "numpy", "disk")


def ingest(folder: Path, memory: int | None) -> None:
    from dere.ingest.simulation.carbonglobe import read_simulation
    from dere.io import write_netcdf

    forcing, simulation = read_simulation(folder / "raw", "monthly8", memory)
    write_netcdf(forcing, folder / "forcing.nc")
    write_netcdf(simulation, folder / "interim.nc", compress=False)


def harmonise(folder: Path, memory: int | None) -> None:
    import scale_simulation
    from dere.config.harmonise import HarmoniseConfig
    from dere.config.simulation import SimulationSource
    from dere.config.splits import SplitsConfig
    from dere.harmonise.build import harmonise, write
    from dere.harmonise.interim import Interim
    from dere.io import read_netcdf

    forcing = read_netcdf(folder / "forcing.nc", memory=memory)
    interim = Interim(
        scale_simulation.towers(forcing.sizes["time"] // 12, forcing.sizes["cell"], sites=30),
        scale_simulation.cover(forcing.sizes["cell"], AGES),
        forcing,
        read_netcdf(folder / "interim.nc", memory=memory),
    )
    config = HarmoniseConfig(window=12, window_stride=12, dominance=0.8)
    write(harmonise(interim, SimulationSource(), config, SplitsConfig(folds=5)), folder / "data")


def statistics(folder: Path, memory: int | None, **windows: object) -> None:
    from dere.config.windows import WindowConfig
    from dere.workflow.statistics import write_statistics

    data = folder / "data"
    files = {name: data / f"{name}.nc" for name in ("drivers", "simulation", "towers")} | {
        "splits": data / "splits.csv"
    }
    write_statistics(files, 0, data / "statistics" / "fold0.nc", WindowConfig(**windows), memory)


def plain_numpy(folder: Path, memory: int | None) -> None:
    """Whole arrays: load, convert the fluxes, put the ages beside each other, four stands by dominance, save."""
    ages = [np.load(folder / "raw" / f"glob_Y{age:03d}.npy") for age in AGES]
    factor = np.ones(10, np.float32)
    factor[4:] = 1000 / 365.25
    mixture = np.stack([age[:, 1:].reshape(len(age), -1, 10) * factor for age in ages], 1)
    fraction = np.stack([np.load(folder / "raw" / f"glob_F{age:03d}.npy")[:, 1:].mean(1) for age in AGES], 1)
    pure = [np.where((fraction[..., i] > 0.8)[..., None, None], mixture, np.float32(np.nan)) for i in range(3)]
    np.save(folder / "numpy.npy", np.stack([*pure, mixture], 1))


def disk(folder: Path, memory: int | None) -> None:
    """Write as many bytes as the canonical states have, to the platter, and read them back."""
    size, block = (folder / "data" / "simulation.nc").stat().st_size, os.urandom(1 << 24)
    with (folder / "disk").open("wb") as stream:
        for _ in range(size // len(block)):
            stream.write(block)
        stream.flush()
        os.fsync(stream.fileno())
    with (folder / "disk").open("rb") as stream:
        while stream.read(1 << 24):
            pass


def run(step: str, folder: Path, memory_mb: int, limit_mb: int | None) -> dict[str, float]:
    """One step in a process of its own: seconds and peak resident memory."""
    command = [sys.executable, __file__, "--folder", str(folder), "--step", step, "--memory-mb", str(memory_mb)]
    if limit_mb:
        command += ["--limit-mb", str(limit_mb)]
    began = time.perf_counter()
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    process = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    seconds = time.perf_counter() - began
    cpu, peak = map(float, process.stdout.split()[-2:]) if process.returncode == 0 else (float("nan"),) * 2
    return {"seconds": seconds, "cpu_seconds": cpu, "peak_mb": peak, "rc": process.returncode}


def peak_mb() -> float:
    """Peak resident memory of this process; what its parent had before the program was loaded does not count."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1.024e-3


def measure(folder: Path, cells: int, years: int, memory_mb: int, limit_mb: int | None, steps: list[str]) -> dict:
    import scale_simulation

    folder.mkdir(parents=True, exist_ok=True)
    scale_simulation.write_simulation(folder / "raw", cells, years, AGES)
    table: dict = {"cells": cells, "years": years, "memory_mb": memory_mb, "limit_mb": limit_mb}
    for step in steps:
        table[step] = run(step, folder, memory_mb, limit_mb if step in STEPS[:3] else None)
    states = folder / "data" / "simulation.nc"
    table["gigabytes"] = states.stat().st_size / 1e9 if states.exists() else float("nan")
    shutil.rmtree(folder)
    return table


def report(tables: list[dict], steps: list[str]) -> str:
    lines = ["| cells | states (GB) | step | seconds | of CPU | GB/s | of NumPy | of the disk | peak memory (MB) |"]
    lines.append("|---" * 9 + "|")
    for table in tables:
        speed = {step: table["gigabytes"] / table[step]["seconds"] for step in steps}
        for step in steps:
            shares = [f"{speed[step] / speed[other]:.2f}" if other in speed else "" for other in ("numpy", "disk")]
            row = [table["cells"], f"{table['gigabytes']:.2f}", step, f"{table[step]['seconds']:.1f}"]
            row.append(f"{table[step]['cpu_seconds']:.1f}")
            row += [f"{speed[step]:.3f}", *shares, f"{table[step]['peak_mb']:.0f}"]
            failed = f" (exit status {table[step]['rc']})" if table[step]["rc"] else ""
            lines.append("| " + " | ".join(map(str, row)) + " |" + failed)
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--cells", type=int, nargs="+", default=[13538, 27076, 54152])
    parser.add_argument("--years", type=int, default=2)
    parser.add_argument("--memory-mb", type=int, default=1000)
    parser.add_argument("--limit-mb", type=int)
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if arguments.step:
        if arguments.limit_mb:
            resource.setrlimit(resource.RLIMIT_DATA, (arguments.limit_mb * 1_000_000,) * 2)
        functions = dict(zip(STEPS, (ingest, harmonise, statistics, plain_numpy, disk), strict=True))
        functions[arguments.step](arguments.folder, arguments.memory_mb * 1_000_000)
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(used.ru_utime + used.ru_stime, peak_mb())
        return
    sizes = (arguments.years, arguments.memory_mb, arguments.limit_mb, arguments.steps)
    tables = [measure(arguments.folder / f"cells{cells}", cells, *sizes) for cells in arguments.cells]
    print(report(tables, arguments.steps))
    if arguments.json:
        arguments.json.write_text(json.dumps(tables, indent=2))


if __name__ == "__main__":
    main()
