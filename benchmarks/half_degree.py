"""A synthetic planet from raw files to public maps: memory, time and disk of every step, at growing numbers of cells.

Run: python benchmarks/half_degree.py --folder <scratch> [--cells 500 1000 2000] [--years 5] [--limit-mb 6000]

A simulation of mixtures (18 ages, half a degree) is written, ingested and spread to four stands; the stages of
``dere_towers`` are trained for a few steps each, all cells are predicted and the public maps written, by the functions
of the rules. Every step runs in a process of its own, which may allocate no more than --limit-mb (RLIMIT_DATA), with
the mem_mb of its rule, at most --memory-mb. Gigabytes are those that a step writes; peak memory is resident memory. At
the end stands the exponent of the fit of CPU seconds, less those of the libraries, against the cells. Numbers predicted
mean nothing: values are synthetic, and the networks have hardly learned.
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
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests" / "fixtures"), str(ROOT / "benchmarks"), str(ROOT / "src")]
STAGES = ("pure", "mixture", "age", "plant_types_simulated", "plant_types_observed", "towers")
"""What ``dere_towers`` predicts from, in the order of training."""
METHOD = "dere_towers"
STEPS = ("ingest", "harmonise", "statistics", *STAGES, "sites", "map", "products", "evaluate", "figures")
WRITES = {
    "ingest": ("forcing.nc", "interim.nc"),
    "harmonise": ("data",),
    "map": ("cells.nc",),
    "products": ("products",),
}


def files_of(folder: Path) -> dict[str, Path]:
    """Canonical files by name."""
    data = folder / "data"
    named = {name: data / f"{name}.nc" for name in ("drivers", "simulation", "cover", "towers")}
    return named | {"splits": data / "splits.csv", "statistics": data / "statistics" / "fold0.nc"}


def windows() -> dict[str, object]:
    """How windows are cut: as ``harmonise_scale`` harmonises."""
    from stage_jobs import HARMONISE

    return HARMONISE | {"window": 12, "window_stride": 12}


def statistics(folder: Path, memory: int) -> None:
    import harmonise_scale

    harmonise_scale.statistics(folder, memory, **windows())


def trained(stage: str) -> Callable[[Path, int], None]:
    """Return the training of a stage for a few steps."""

    def run(folder: Path, memory: int) -> None:
        import torch

        from dere.workflow.train import train
        from stage_jobs import make_job

        torch.set_num_threads(1)
        job = make_job(stage, files_of(folder), folder / "models", "lags", width=16)
        train(replace(job, params={**job.params, "harmonise": windows()}, memory=memory))

    return run


def prediction(folder: Path, names: tuple[str, ...], output: Path):
    """Return the job of a prediction that reads some canonical files."""
    from stage_jobs import prediction_job

    files = files_of(folder)
    job = prediction_job(METHOD, {name: files[name] for name in names}, folder / "models", output)
    lags = {"backbone_name": "lags", "backbone": {"width": 16}, "harmonise": windows()}
    return replace(job, params={**job.params, **lags})


def sites(folder: Path, memory: int) -> None:
    from dere.workflow.predict import predict_sites

    predict_sites(prediction(folder, ("towers", "splits"), folder / "sites.nc"))


def mapped(folder: Path, memory: int) -> None:
    import torch

    from dere.workflow.predict_cells import predict_cells

    torch.set_num_threads(1)
    job = prediction(folder, ("drivers", "simulation", "cover", "splits"), folder / "cells.nc")
    predict_cells(replace(job, files=job.files | {"sites": folder / "sites.nc"}, memory=memory))


def products(folder: Path, memory: int) -> None:
    from dere.config.products import ProductsConfig
    from dere.workflow.products import products

    provenance = folder / "provenance.csv"
    provenance.write_text("source,file,product,version,role,rows,sha256,licence,citation,url,site\n")
    files = files_of(folder) | {"ensemble": folder / "sites.nc", "provenance": provenance}
    products([folder / "cells.nc"], [], files, folder / "products", ProductsConfig())


def evaluate(folder: Path, memory: int) -> None:
    from dere.config.evaluation import EvaluationConfig
    from dere.workflow.evaluate import evaluate

    names = ("skill", "site_skill", "paired", "calibration", "site_calibration", "closure", "totals", "roles")
    tables = {name: folder / "tables" / f"{name}.csv" for name in names}
    config = EvaluationConfig(bootstrap=50, minimum_months=3, minimum_years=2)
    files = files_of(folder) | {"products": folder / "products"}
    evaluate([folder / "sites.nc"], files, tables, config, f"{METHOD}/lags", 0)


def figures(folder: Path, memory: int) -> None:
    from dere.config.figures import FiguresConfig
    from dere.workflow.figures import draw

    known: dict[str, Path | list[Path]] = {name: files_of(folder)[name] for name in ("drivers", "cover")}
    known |= {"products": folder / "products", "learned": folder / "cells.nc", "predictions": [folder / "sites.nc"]}
    draw(known, folder / "figures", FiguresConfig(formats=["png"]))


def functions() -> dict[str, Callable[[Path, int], None]]:
    """Steps by name."""
    from harmonise_scale import harmonise, ingest

    last = {"sites": sites, "map": mapped, "products": products, "evaluate": evaluate, "figures": figures}
    return {"ingest": ingest, "harmonise": harmonise, "statistics": statistics} | {s: trained(s) for s in STAGES} | last


def step(name: str, folder: Path, memory_mb: int, limit_mb: int) -> None:
    """Make one step in this process; print CPU seconds in all, those of the libraries, and peak memory."""
    from harmonise_scale import peak_mb

    work = functions()[name]
    # what every job loads, so that growth with the cells is not hidden behind it
    import dere.workflow.predict_cells  # noqa: F401

    if name in STAGES:
        import torch._dynamo  # noqa: F401

    loaded = time.process_time()
    resource.setrlimit(resource.RLIMIT_DATA, (limit_mb * 1_000_000,) * 2)
    work(folder, memory_mb * 1_000_000)
    print(time.process_time(), loaded, peak_mb())


def measure(folder: Path, cells: int, years: int, memory_mb: int, limit_mb: int) -> list[dict]:
    """Make all steps for one size, each in a process of its own; the folder is removed."""
    from harmonise_scale import AGES

    import scale_simulation

    shutil.rmtree(folder, ignore_errors=True)
    scale_simulation.write_simulation(folder / "raw", cells, years, AGES)
    rows = []
    for name in STEPS:
        command = [sys.executable, __file__, "--folder", str(folder), "--step", name]
        command += ["--memory-mb", str(memory_mb), "--limit-mb", str(limit_mb)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, env=os.environ)
        if done.returncode:
            raise SystemExit(f"{cells} cells: {name} failed with status {done.returncode}; what it said stands above")
        cpu, loaded, peak = (float(word) for word in done.stdout.split()[-3:])
        written = sum(size_of(folder / path) for path in WRITES.get(name, ())) / 1e9
        rows.append({"cells": cells, "step": name, "cpu": cpu, "own": cpu - loaded, "peak": peak, "gigabytes": written})
        if name == "harmonise":
            shutil.rmtree(folder / "raw")
            (folder / "interim.nc").unlink()
    shutil.rmtree(folder)
    return rows


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    return sum(file.stat().st_size for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file())


def exponent(cells: list[int], seconds: list[float]) -> float:
    """Slope of the logarithm of seconds against that of cells."""
    return float(np.polyfit(np.log(cells), np.log(np.maximum(seconds, 1e-3)), 1)[0])


def report(rows: list[dict]) -> str:
    """Table of all steps and sizes."""
    lines = ["| step | cells | CPU seconds | beyond libraries | GB written | GB per CPU second | peak memory (MB) |"]
    lines.append("|---" * 7 + "|")
    for name in STEPS:
        for row in [row for row in rows if row["step"] == name]:
            rate = f"{row['gigabytes'] / row['own']:.3f}" if row["gigabytes"] else ""
            size = f"{row['gigabytes']:.3f}" if row["gigabytes"] else ""
            line = [name, row["cells"], f"{row['cpu']:.1f}", f"{row['own']:.2f}", size, rate, f"{row['peak']:.0f}"]
            lines.append("| " + " | ".join(map(str, line)) + " |")
    sizes = sorted({row["cells"] for row in rows})
    if len(sizes) > 1:
        total = [sum(row["own"] for row in rows if row["cells"] == cells) for cells in sizes]
        lines.append(f"\nexponent of all CPU seconds beyond libraries: {exponent(sizes, total):.2f}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--cells", type=int, nargs="+", default=[500, 1000, 2000])
    parser.add_argument("--years", type=int, default=5)
    parser.add_argument("--memory-mb", type=int, default=4000)
    parser.add_argument("--limit-mb", type=int, default=6000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        step(arguments.step, arguments.folder, arguments.memory_mb, arguments.limit_mb)
        return
    rows: list[dict] = []
    for cells in arguments.cells:
        own = arguments.years, arguments.memory_mb, arguments.limit_mb
        rows += measure(arguments.folder / f"planet{cells}", cells, *own)
        if arguments.json:
            arguments.json.write_text(json.dumps(rows, indent=2))
    print(report(rows))


if __name__ == "__main__":
    main()
