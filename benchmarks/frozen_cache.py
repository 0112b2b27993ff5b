"""Outputs of the frozen pure stands computed once, against anew in every epoch, on an epoch of stage 2.

Run: python benchmarks/frozen_cache.py [--device cuda --training 512]. The published code keeps the outputs of the
training members and computes those of validation and test members again in every epoch, encoding every (site, age) once
per plant type (docs/deviations.md#outputs-of-frozen-parts). There are 3036 training, 337 validation and 852 test
members there; here as many for each training member. All ways train the same network on the same batches; the losses of
all steps and evaluations must agree. What filling the cache costs, once per stage, is shown beside.
"""

from __future__ import annotations

import logging
from copy import deepcopy

import torch
from encoding import inputs, pure_per_pair
from measuring import Measured, in_turns, parser, same, start, time_table
from published_size import PUBLISHED, TINY, WIDE, Size
from torch import Tensor

from dere.methods.dere.competition import Pure, age_weighted
from dere.methods.dere.frozen import FrozenOutputs, weighted_pure
from dere.methods.dere.networks.competition import CompetitionNetwork
from dere.methods.dere.networks.dere import monthly, weight_types
from dere.methods.dere.networks.pure import PureNetwork
from dere.training.loop import LossParts, freeze
from dere.training.losses import target_loss
from dere.training.windows import Windows

log = logging.getLogger(__name__)

BATCH = 8
EVALUATED = (337 + 852) / 3036
"""Validation and test members for each training member."""


def weighted_per_pair(network: PureNetwork, windows: Windows, index: Tensor, device: str) -> Tensor:
    """As `dere.methods.dere.frozen.weighted_pure`, every (site, age) encoded anew for each plant type."""
    drivers, static, state, ages, _ = inputs(windows, index, device)
    _, fractions = windows.simulated_fractions(index)
    pure = pure_per_pair(network, drivers, static, state, ages)
    return weight_types(pure, monthly(fractions).to(device)).cpu()


def loss_of(network: CompetitionNetwork, windows: Windows, outputs: Pure, index: Tensor, device: str) -> LossParts:
    """Loss of stage 2."""
    weighted, before, years, fractions, truth = (
        value.to(device) for value in age_weighted(windows, outputs, index, torch.arange(len(windows.ages)))
    )
    drivers, static = (value.to(device) for value in windows.inputs(index))
    free = network(drivers, static, weighted, before, years, fractions)
    return target_loss(network.normaliser.outputs(free), truth, network.normaliser.target_std)


def epoch(
    start_: CompetitionNetwork, windows: Windows, training: Tensor, checked: Tensor, cached: Pure, again: Pure,
    device: str,
) -> Tensor:  # fmt: skip
    """Train on all batches, then evaluate; losses of all of them.

    ``cached`` gives the training members' outputs, ``again`` those of evaluated ones.
    """
    network = deepcopy(start_).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-4)
    losses = []
    for index in training.split(BATCH):
        loss = loss_of(network, windows, cached, index, device).mean
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    network.eval()
    with torch.no_grad():
        for index in checked.split(BATCH):
            losses.append(loss_of(network, windows, again, index, device).mean)
    return torch.stack(losses).cpu()


def measure(size: Size, training: int, repeats: int, device: str = "cpu") -> tuple[dict[str, Measured], Measured]:
    """Time an epoch in all ways, check that they agree; the cache's filling separately."""
    windows = size.windows(training + max(1, round(training * EVALUATED)))
    every = torch.arange(len(windows))
    pure, network = freeze(size.pure().to(device)), size.competition().to(device)
    cached = FrozenOutputs(pure, windows, every, device, size=BATCH)
    filling = in_turns({"filling": lambda: cached(every)}, 1, device)["filling"]

    def run(again: Pure) -> Tensor:
        return epoch(network, windows, every[:training], every[training:], cached, again, device)

    measured = in_turns(
        {
            "computed again, one encoding per age and type": lambda: run(
                lambda index: weighted_per_pair(pure, windows, index, device)
            ),
            "computed again, one encoding": lambda: run(lambda index: weighted_pure(pure, windows, index, device)),
            "cached": lambda: run(cached),
        },
        repeats,
        device,
    )
    log.info("losses agree to %.0e", same({name: one.result for name, one in measured.items()}))
    return measured, filling


def main(given: list[str] | None = None) -> None:
    options = parser(__doc__, 3)
    options.add_argument("--training", type=int, default=8, help="training members; the others follow from them")
    arguments = options.parse_args(given)
    start(arguments)
    sizes = {"tiny": TINY} if arguments.tiny else {"published block": PUBLISHED, "our block, width 512": WIDE}
    for name, size in sizes.items():
        measured, filling = measure(size, arguments.training, arguments.repeats, arguments.device)
        log.info("\n%s", time_table(f"epoch of stage 2, {name}, {arguments.training} training members", measured))
        log.info("filling once: %.3g CPU s, %.1f cached epochs", filling.cpu, filling.cpu / measured["cached"].cpu)


if __name__ == "__main__":
    main()
