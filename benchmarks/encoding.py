"""A site encoded once for all ages and plant types, against one encoding per (site, age) and plant type.

Run: python benchmarks/encoding.py [--device cuda --sites 64]. The naive way is that of the published code
(docs/deviations.md#encoding-of-a-site): drivers are repeated for every age, batches of 8 (site, age) pairs go through
encoder and decoder once per plant type, and the plant-type network sees every site once per age. Both ways use the same
weights; targets and fractions of a whole tower batch must agree.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable

import torch
from measuring import Measured, in_turns, parser, same, start, time_table
from published_size import PUBLISHED, TINY, WIDE, Size
from torch import Tensor

from dere.methods.dere.networks.dere import DereNetwork, monthly, pure_outputs, weight_types
from dere.methods.dere.networks.pure import PureNetwork
from dere.training.windows import MIXTURE, Windows
from dere.variables import PLANT_TYPES

log = logging.getLogger(__name__)

PAIRS = 8
"""Sequences of a published batch."""


@torch.no_grad()
def pure_per_pair(network: PureNetwork, drivers: Tensor, static: Tensor, state: Tensor, ages: Tensor) -> Tensor:
    """As `dere.methods.dere.networks.dere.pure_outputs`, every (site, age) encoded anew for each plant type."""
    sites, k = len(drivers), len(ages)
    repeated, statics = drivers.repeat_interleave(k, dim=0), static.repeat_interleave(k, dim=0)
    years = ages.repeat(sites)[:, None]
    branches = []
    for p in range(len(PLANT_TYPES)):
        initial = state[:, p].flatten(0, 1)[:, None]
        parts = []
        for rows in torch.arange(sites * k, device=drivers.device).split(PAIRS):
            memory = network.encode(repeated[rows], statics[rows])
            parts.append(network.decode(memory, initial[rows], years[rows], p)[:, 0])
        branches.append(torch.cat(parts).unflatten(0, (sites, k)))
    return torch.stack(branches, dim=2)


@torch.no_grad()
def types_per_pair(network: DereNetwork, drivers: Tensor, static: Tensor, start_: Tensor, ages: Tensor) -> Tensor:
    """Yearly fractions (B, k, Y, 3), every (site, age) encoded anew."""
    sites, k = len(drivers), len(ages)
    repeated, statics = drivers.repeat_interleave(k, dim=0), static.repeat_interleave(k, dim=0)
    before, years = start_.repeat_interleave(k, dim=0)[:, None], ages.repeat(sites)[:, None]
    return network.plant_types(repeated, statics, before, years).unflatten(0, (sites, k))[:, :, 0]


@torch.no_grad()
def tower_batch(
    network: DereNetwork, pure: Tensor, yearly: Tensor, windows: Windows, index: Tensor, device: str
) -> tuple[Tensor, Tensor]:
    """What follows once pure outputs and fractions are known; as `DereNetwork.forward`."""
    drivers, static, state, ages, weights = inputs(windows, index, device)
    weighted = torch.einsum("bk,bkwc->bwc", weights, weight_types(pure, monthly(yearly)))
    mean = torch.einsum("bk,bkyp->byp", weights, yearly)
    mean_state = torch.einsum("bk,bkt->bt", weights, state[:, MIXTURE])[:, None]
    mean_age = (weights * ages).sum(1, keepdim=True)
    free = network.competition(drivers, static, weighted[:, None], mean_state, mean_age, monthly(mean[:, None]))[:, 0]
    normaliser = network.competition.normaliser
    return normaliser.outputs(network.level(free, normaliser.static(static))), mean


def inputs(windows: Windows, index: Tensor, device: str) -> tuple[Tensor, ...]:
    """Drivers, statics, states before, ages and age weights."""
    drivers, static = windows.inputs(index)
    values = (drivers, static, windows.before(index), windows.ages, windows.weights(index))
    return tuple(value.to(device) for value in values)


def ways(size: Size, sites: int, device: str) -> dict[str, dict[str, Callable[[], Tensor | tuple[Tensor, ...]]]]:
    """The work of a tower batch, by part and way; the first way is the naive one."""
    windows, index = size.windows(sites), torch.arange(sites)
    pure, network = size.pure().to(device), size.dere().to(device)
    drivers, static, state, ages, weights = inputs(windows, index, device)
    before = windows.observed(index)[0].to(device)

    def naive() -> tuple[Tensor, ...]:
        outputs = pure_per_pair(pure, drivers, static, state, ages)
        yearly = types_per_pair(network, drivers, static, before, ages)
        return tower_batch(network, outputs, yearly, windows, index, device)

    @torch.no_grad()
    def once() -> tuple[Tensor, ...]:
        outputs = pure_outputs(pure, drivers, static, state, ages)
        return network(outputs, drivers, static, before, state[:, MIXTURE], ages, weights)

    return {
        "pure stands": {
            "one encoding per age and type": lambda: pure_per_pair(pure, drivers, static, state, ages),
            "one encoding": lambda: pure_outputs(pure, drivers, static, state, ages),
        },
        "whole tower batch": {"one encoding per age and type": naive, "one encoding": once},
    }


def measure(size: Size, sites: int, repeats: int, device: str = "cpu") -> dict[str, dict[str, Measured]]:
    """Time all parts and check that the ways agree."""
    out = {}
    for part, both in ways(size, sites, device).items():
        out[part] = in_turns(both, repeats, device)
        difference = same({name: one.result for name, one in out[part].items()})
        log.info("%s: results agree to %.0e", part, difference)
    return out


def main(given: list[str] | None = None) -> None:
    options = parser(__doc__, 3)
    options.add_argument("--sites", type=int, default=2)
    arguments: argparse.Namespace = options.parse_args(given)
    start(arguments)
    sizes = {"tiny": TINY} if arguments.tiny else {"published block": PUBLISHED, "our block, width 512": WIDE}
    for name, size in sizes.items():
        for part, measured in measure(size, arguments.sites, arguments.repeats, arguments.device).items():
            log.info("\n%s", time_table(f"{part}, {name}, {arguments.sites} sites", measured))


if __name__ == "__main__":
    main()
