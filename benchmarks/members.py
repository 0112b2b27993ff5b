"""Eight members of a tower stage trained together, against one after the other and against a single network.

Run: python benchmarks/members.py [--device cuda --steps 10 --backbone lags]. The network is the baseline at the size of
the default run. All ways take the same steps on the same batches without dropout; the losses of the first member must
agree. With --training inputs have noise, layers drop out and a step has eight windows, as in a run; losses then differ.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from copy import deepcopy

import torch
from measuring import Measured, in_turns, parser, same, start, time_table
from published_size import DEFAULT, LAGS, TINY, Size
from torch import Tensor

from dere.methods.single_network import SingleNetwork
from dere.methods.single_stages import forward
from dere.training.clipping import clip
from dere.training.kept_memory import keep_freed_memory
from dere.training.loop import LossParts
from dere.training.losses import squared
from dere.training.stacked import Stacked
from dere.training.windows import Windows

log = logging.getLogger(__name__)

MEMBERS, BATCH = 8, 16
SHIPPED_BATCH, SHIPPED_DROPOUT, SHIPPED_NOISE = 8, 0.3, 0.3
"""Budget of the default run (docs/decisions/0018)."""


def loss_of(network: SingleNetwork, windows: Windows, index: Tensor, weight: Tensor, device: str) -> LossParts:
    """Weighted squared distance of a batch from one, as a stand-in for labels."""
    outputs = forward(network, windows, index, False, device)
    return squared(outputs, torch.ones_like(outputs), weight[index][:, None, None].to(device))


def steps(
    model: torch.nn.Module, loss: Callable[[Tensor], LossParts], batches: Sequence[Tensor], members: int
) -> Tensor:
    """Take a step per batch; losses of the first member."""
    parameters = list(model.parameters())
    optimiser = torch.optim.AdamW(parameters, lr=1e-4)
    found = []
    for index in batches:
        parts = loss(index)
        optimiser.zero_grad()
        parts.mean.backward()
        clip(parameters, 1.0, members)
        optimiser.step()
        found.append((parts.numerator / parts.denominator).detach().flatten()[0])
    return torch.stack(found).cpu()


def measure(size: Size, count: int, repeats: int, device: str = "cpu", training: bool = False) -> dict[str, Measured]:
    """Time ``count`` steps in all ways, and check that they agree; with ``training`` as in a run."""
    keep_freed_memory()
    windows = size.windows(2 * BATCH)
    draw = torch.Generator().manual_seed(1)
    batch = SHIPPED_BATCH if training else BATCH
    batches = [torch.randint(len(windows), (batch,), generator=draw) for _ in range(count)]
    networks = [size.single().to(device) for _ in range(MEMBERS)]
    weights = torch.rand(MEMBERS, len(windows), generator=draw)

    def alone(member: int) -> Tensor:
        network = as_in_a_run(deepcopy(networks[member]), training)
        return steps(network, lambda index: loss_of(network, windows, index, weights[member], device), batches, 1)

    def together() -> Tensor:
        stacked = Stacked([as_in_a_run(network, training) for network in deepcopy(networks)]).train(training)

        def one(network: SingleNetwork, index: Tensor, weight: Tensor) -> LossParts:
            return loss_of(network, windows, index, weight, device)

        return steps(stacked, lambda index: stacked.losses(one, index, weights), batches, MEMBERS)

    ways = {
        f"{MEMBERS} in turn": lambda: [alone(member) for member in reversed(range(MEMBERS))][-1],
        f"{MEMBERS} together": together,
        "one network": lambda: alone(0),
    }
    measured = in_turns(ways, repeats, device)
    if not training:
        log.info("losses agree to %.0e", same({name: one.result for name, one in measured.items()}))
    return measured


def as_in_a_run(network: SingleNetwork, training: bool) -> SingleNetwork:
    """Give a network the dropout and noise of the default run; it stays as it is without ``training``."""
    if not training:
        return network
    network.normaliser.noise = SHIPPED_NOISE
    for layer in network.backbone.modules():
        if isinstance(layer, torch.nn.Dropout):
            layer.p = SHIPPED_DROPOUT
    return network.train()


def main(given: list[str] | None = None) -> None:
    options = parser(__doc__, 3)
    options.add_argument("--steps", type=int, default=5)
    options.add_argument("--backbone", choices=("transformer", "lags"), default="transformer")
    options.add_argument("--training", action="store_true", help="noise, dropout and windows of the default run")
    arguments = options.parse_args(given)
    start(arguments)
    size = TINY if arguments.tiny else {"transformer": DEFAULT, "lags": LAGS}[arguments.backbone]
    measured = measure(size, arguments.steps, arguments.repeats, arguments.device, arguments.training)
    log.info("\n%s", time_table(f"{arguments.steps} steps of the baseline ({size.backbone})", measured))
    one = measured["one network"]
    together = measured[f"{MEMBERS} together"]
    log.info("%d together cost %.2f times one (CPU), %.2f (wall)", MEMBERS, together.cpu / one.cpu,
             together.wall / one.wall)  # fmt: skip


if __name__ == "__main__":
    main()
