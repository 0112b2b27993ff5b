"""Evaluation of whole batches without gradients, against one site at a time with gradients kept.

Run: python benchmarks/evaluation.py [--device cuda --sites 256 --batch 64]. The published test loops keep what a
backward pass would need (docs/deviations.md#evaluation). All ways decode the 18 ages of a site from one encoding, so
that only batches and gradients differ; predictions of all sites must agree. Peak memory is that of a process per way.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext

import torch
from encoding import inputs
from measuring import Measured, added_peak, in_turns, parser, same, start, table, time_table
from published_size import DEFAULT, PUBLISHED, TINY, Size
from torch import Tensor

from dere.training.windows import MIXTURE

log = logging.getLogger(__name__)

WAYS = ("one site, with gradients", "one site, without", "batches, with gradients", "batches, without")
SIZES = {"tiny": TINY, "default run": DEFAULT, "published block": PUBLISHED}


def ways(size: Size, sites: int, batch: int, device: str) -> dict[str, Callable[[], Tensor]]:
    """Predict all sites with the KGML network."""
    network, windows = size.single().to(device), size.windows(sites)

    def predict(rows: int, gradients: bool) -> Tensor:
        parts = []
        with nullcontext() if gradients else torch.no_grad():
            for index in torch.arange(sites).split(rows):
                drivers, static, state, ages, weights = inputs(windows, index, device)
                # the result is kept as in a loop that collects predictions
                parts.append(network(drivers, static, state[:, MIXTURE], ages, weights).detach().cpu())
        return torch.cat(parts)

    settings = ((1, True), (1, False), (batch, True), (batch, False))
    return {name: lambda s=s: predict(*s) for name, s in zip(WAYS, settings, strict=True)}  # type: ignore[misc]


def measure(size: Size, sites: int, batch: int, repeats: int, device: str = "cpu") -> dict[str, Measured]:
    """Time all ways and check that they agree."""
    measured = in_turns(ways(size, sites, batch, device), repeats, device)
    log.info("predictions agree to %.0e", same({name: one.result for name, one in measured.items()}))
    return measured


def peak(size: Size, way: str, sites: int, batch: int, device: str) -> float:
    """Memory (MB) that one way adds to network and inputs."""
    return added_peak(ways(size, sites, batch, device)[way], device)


def main(given: list[str] | None = None) -> None:
    options = parser(__doc__, 3)
    options.add_argument("--sites", type=int, default=8)
    options.add_argument("--batch", type=int, default=8)
    options.add_argument("--peak", nargs=2, metavar=("SIZE", "WAY"), help="print the peak memory (MB) of one way")
    arguments = options.parse_args(given)
    sites, batch, device = arguments.sites, arguments.batch, arguments.device
    if arguments.peak:
        torch.set_num_threads(arguments.threads)
        name, way = arguments.peak
        print(json.dumps(peak(SIZES[name], way, sites, batch, device)))
        return
    start(arguments)
    own = sys.argv[1:] if given is None else given
    for name in ["tiny"] if arguments.tiny else ["default run", "published block"]:
        log.info(
            "\n%s", time_table(f"{sites} sites, {name}", measure(SIZES[name], sites, batch, arguments.repeats, device))
        )
        rows = []
        for way in WAYS:
            command = [sys.executable, __file__, *own, "--peak", name, way]
            rows.append([way, f"{json.loads(subprocess.run(command, check=True, capture_output=True).stdout):.0f}"])
        log.info("\n%s", table([name, "peak memory above network and inputs (MB)"], rows))


if __name__ == "__main__":
    main()
