"""Measuring two or more ways of the same work in one run: they take turns, the best time of each counts."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

TOLERANCE = 1e-5


@dataclass
class Measured:
    """The best of several runs: wall and CPU seconds, and what the last run returned."""

    wall: float
    cpu: float
    result: Any


def in_turns(ways: Mapping[str, Callable[[], Any]], repeats: int, device: str = "cpu") -> dict[str, Measured]:
    """Run every way ``repeats`` times, one after the other in each round, so that a disturbance meets all alike."""
    measured = {name: Measured(float("inf"), float("inf"), None) for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            one = measured[name]
            one.result = None
            wait(device)
            wall, cpu = time.perf_counter(), time.process_time()
            one.result = way()
            wait(device)
            one.wall = min(one.wall, time.perf_counter() - wall)
            one.cpu = min(one.cpu, time.process_time() - cpu)
    return measured


def wait(device: str) -> None:
    """Wait until the device has done what was asked of it."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def same(results: Mapping[str, Any], tolerance: float = TOLERANCE) -> float:
    """Largest difference between the results of all ways and the first, relative to the first's largest value.

    Parameters
    ----------
    results
        Tensors, or sequences of tensors, by way.

    Raises
    ------
    ValueError
        When it exceeds ``tolerance``, or shapes differ.
    """
    (first, reference), *others = ((name, _tensors(result)) for name, result in results.items())
    worst = 0.0
    for name, values in others:
        if [v.shape for v in values] != [r.shape for r in reference]:
            raise ValueError(f"'{name}' and '{first}' give results of different shapes; they do not do the same work")
        for value, expected in zip(values, reference, strict=True):
            scale = float(expected.abs().max()) or 1.0
            difference = float((value.double() - expected.double()).abs().max()) / scale
            # not "worse or equal": a NaN must fail
            if not difference <= tolerance:
                raise ValueError(
                    f"'{name}' and '{first}' differ by {difference:.1e} of the largest value, {tolerance:g} is "
                    "allowed; they do not do the same work"
                )
            worst = max(worst, difference)
    return worst


def _tensors(result: Any) -> list[Tensor]:
    return [result] if isinstance(result, Tensor) else [torch.as_tensor(value) for value in result]


def table(head: list[str], rows: list[list[Any]]) -> str:
    """Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def time_table(title: str, measured: Mapping[str, Measured]) -> str:
    """Markdown table of ways, seconds and ratios; the first way is the naive one.

    On a busy machine CPU seconds are the fairer measure; on a GPU only wall seconds count.
    """
    first = next(iter(measured.values()))
    rows = [
        [name, f"{one.cpu:.3g}", f"{first.cpu / one.cpu:.2f}", f"{one.wall:.3g}", f"{first.wall / one.wall:.2f}"]
        for name, one in measured.items()
    ]
    return table([title, "CPU seconds", "times fewer", "wall seconds", "times fewer"], rows)


def peak_mb() -> float:
    """Peak resident memory of this process since it was loaded or `forget_peak` was called."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1.024e-3


def forget_peak() -> float:
    """Start the peak again at what is resident now, and return that."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak_mb()


def added_peak(run: Callable[[], Any], device: str) -> float:
    """Memory (MB) that ``run`` adds at its peak to what is held before it."""
    if device.startswith("cuda"):
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        run()
        return (torch.cuda.max_memory_allocated() - before) * 1e-6
    resident = forget_peak()
    run()
    return peak_mb() - resident


def parser(doc: str | None, repeats: int) -> argparse.ArgumentParser:
    """Options that all benchmarks of the networks have."""
    out = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--repeats", type=int, default=repeats)
    out.add_argument("--threads", type=int, default=1)
    out.add_argument("--device", default="cpu", help="cpu or cuda")
    out.add_argument("--tiny", action="store_true", help="toy sizes: shows that all ways agree, says nothing of time")
    return out


def start(arguments: argparse.Namespace) -> None:
    """Set threads and seed, log to the console, and say on what the figures are measured."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout, force=True)
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = False
    name = torch.cuda.get_device_name() if arguments.device.startswith("cuda") else "no GPU"
    logging.getLogger(__name__).info(
        "%d cores, %d thread(s), %s, torch %s, load %.1f; best of %d, taking turns",
        os.cpu_count(), arguments.threads, name, torch.__version__, os.getloadavg()[0], arguments.repeats,
    )  # fmt: skip
