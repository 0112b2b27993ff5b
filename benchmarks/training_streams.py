"""Training on simulations of growing size: CPU time and memory of stages 1a and 1b, in blocks and held whole.

Run: python benchmarks/training_streams.py --folder <scratch> [--cells 1000 2000 4000 8000] [--memory-mb 1000] [--whole]

A synthetic canonical set (18 ages, four stands) is written for each size. Each stage runs in a process of its own, with
the same steps at every size: what it takes beyond the steps is what its data cost. --limit-mb sets a hard limit on what
it may allocate beyond its libraries (RLIMIT_DATA); --whole trains once more with everything in memory, and compares the
weights. Peak anonymous memory is looked up every 20 ms; mapped files, which the system may drop, are no part of it.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests" / "fixtures"), str(ROOT / "src")]
AGES = (1, 5, 10, 20, 30, 40, 50, 70, 100, 130, 160, 200, 250, 300, 350, 400, 450, 500)
STAGES = ("pure", "mixture")
SETTINGS = {"epochs": 2, "steps_per_epoch": 8, "batch": 16, "ages_per_step": 4}
FILES = ("drivers", "simulation", "cover", "statistics")


def memory(name: str) -> float:
    """Memory of this process in MB, as the kernel calls it."""
    return int(Path("/proc/self/status").read_text().split(f"{name}:")[1].split()[0]) * 1.024e-3


class Watched:
    """Looks up the anonymous memory of this process until the block ends."""

    def __enter__(self) -> Watched:
        self.peak, self._ended = memory("RssAnon"), threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.02):
            self.peak = max(self.peak, memory("RssAnon"))


def train(stage: str, folder: Path, output: Path, memory_mb: int | None, limit_mb: int | None) -> None:
    """Train one stage; print CPU seconds, peak anonymous and peak resident memory."""
    import torch

    from dere.workflow.train import train
    from stage_jobs import make_job

    torch.set_num_threads(1)
    files = {name: folder / f"{name}.nc" for name in FILES} | {"splits": folder / "splits.csv"}
    job = make_job(stage, files, output, "transformer", width=64, heads=4, feedforward=128)
    settings = {name: value for name, value in SETTINGS.items() if name in job.params["stage"]}
    harmonise = {**job.params["harmonise"], "window": 120, "window_stride": 24}
    params = {**job.params, "harmonise": harmonise, "stage": {**job.params["stage"], **settings}}
    job = replace(job, params=params, memory=None if memory_mb is None else memory_mb * 1_000_000)
    if limit_mb is not None:
        held = round(memory("VmData") + limit_mb) * 1_000_000
        resource.setrlimit(resource.RLIMIT_DATA, (held, held))
    began = time.process_time()
    with Watched() as watched:
        train(job)
    print(time.process_time() - began, watched.peak, memory("VmHWM"))


def in_process(stage: str, folder: Path, output: Path, memory_mb: int | None, limit_mb: int | None) -> list[float]:
    """Train one stage in a process of its own; what it prints, NaN where it fails."""
    command = [sys.executable, __file__, "--stage", stage, "--folder", str(folder), "--output", str(output)]
    command += ["--memory-mb", str(memory_mb or 0)] + (["--limit-mb", str(limit_mb)] if limit_mb else [])
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, env=os.environ)
    return [float(x) for x in done.stdout.split()[-3:]] if done.returncode == 0 else [float("nan")] * 3


def measure(folder: Path, cells: int, arguments: argparse.Namespace) -> list[str]:
    """Rows of the table for one size; the data are removed at the end."""
    import shutil

    from scale_canonical import write_canonical

    size = write_canonical(folder, cells, arguments.years, AGES)["simulation"].stat().st_size / 1e9
    rows, ways = [], {"blocks": (arguments.memory_mb, arguments.limit_mb)}
    if arguments.whole:
        ways["whole"] = (None, None)
    for way, (memory_mb, limit_mb) in ways.items():
        for stage in STAGES:
            cpu, anonymous, resident = in_process(stage, folder, folder / way, memory_mb, limit_mb)
            rows.append(f"| {cells} | {size:.2f} | {stage} | {way} | {cpu:.1f} | {anonymous:.0f} | {resident:.0f} |")
    if arguments.whole:
        same = all(len({(folder / way / s / "model.safetensors").read_bytes() for way in ways}) == 1 for s in STAGES)
        rows.append(f"weights of {cells} cells {'are' if same else 'ARE NOT'} the same")
    shutil.rmtree(folder)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--cells", type=int, nargs="+", default=[1000, 2000, 4000, 8000])
    parser.add_argument("--years", type=int, default=12)
    parser.add_argument("--memory-mb", type=int, default=1000)
    parser.add_argument("--limit-mb", type=int)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--stage", choices=STAGES, help=argparse.SUPPRESS)
    parser.add_argument("--output", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.stage:
        bound = arguments.memory_mb or None
        train(arguments.stage, arguments.folder, arguments.output, bound, arguments.limit_mb)
        return
    print(
        "| cells | states (GB) | stage | | CPU seconds | peak anonymous (MB) | peak resident (MB) |\n"
        + "|---" * 7
        + "|"
    )
    for cells in arguments.cells:
        print("\n".join(measure(arguments.folder / f"cells{cells}", cells, arguments)), flush=True)


if __name__ == "__main__":
    main()
