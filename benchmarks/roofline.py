"""Arithmetic speed of a training step of every stage, against a large matrix product measured in the same run.

Run: python benchmarks/roofline.py [--device cuda --batch 64]. Floating-point operations are those of matrix products
and convolutions, forward and backward, as torch counts them; attention is counted with its scores written out, and
measured fused. Time is the best of several steps, optimiser included; CPU seconds on a CPU.
The share of matrix kernels in the profiled CPU or GPU time says what limits a step: where it is high, their speed at
these sizes; where it is low, everything between them (norms, activations, copies, the optimiser). The imputation
trains with the batch of its own configuration, whatever ``--batch`` says.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from dataclasses import fields

import numpy as np
import torch
from encoding import inputs
from measuring import Measured, in_turns, parser, start, table
from published_size import DEFAULT, EXCHANGE, PUBLISHED, TINY, WIDE, Size
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from dere.imputation.batches import Batch, Inputs
from dere.imputation.batches import loss as denoising_loss
from dere.imputation.denoiser import Denoiser
from dere.imputation.point import PointModel, Rows, row_loss
from dere.imputation.prior import Moments
from dere.imputation.series import SIMULATED
from dere.methods.dere.competition import age_weighted, per_age
from dere.methods.dere.frozen import FrozenOutputs
from dere.methods.dere.networks.dere import pure_outputs
from dere.training.losses import squared, target_loss
from dere.training.windows import MIXTURE, Windows
from dere.variables import PLANT_TYPES

log = logging.getLogger(__name__)

MATRIX = ("mm", "conv", "attention", "gemm", "fft")
"""Parts of the names of kernels that do matrix products, convolutions and attention."""
AGES = 4
Loss = Callable[[], Tensor]


def stages(size: Size, windows: Windows, batch: int, device: str) -> dict[str, tuple[nn.Module, Loss]]:
    """Network and loss of a step of each kind; the frozen outputs of stages 1b, 2 and 4 come from a cache."""
    index = torch.arange(batch)
    every = torch.arange(len(windows.ages))
    ages = every[:: max(1, len(every) // AGES)][:AGES]
    drivers, static, state, years, weights = inputs(windows, index, device)
    pure, competition = size.pure().to(device).train(), size.competition().to(device).train()
    dere, single = size.dere().to(device).train(), size.single().to(device).train()
    cached = FrozenOutputs(pure, windows, index, device, size=4)
    frozen = torch.cat([pure_outputs(pure, drivers[i], static[i], state[i], years) for i in index.split(4)])
    pure.train()
    before, observed = (value.to(device) for value in windows.observed(index))
    flux = torch.rand(batch, windows.length, len(EXCHANGE.outputs), device=device)

    def pure_loss() -> Tensor:
        memory, parts = pure.encode(drivers, static), []
        for branch in range(len(PLANT_TYPES)):
            initial, truth = (x.to(device) for x in windows.states(index, branch, ages))
            free = pure.decode(memory, initial, years[ages], branch)
            truth_loss = target_loss(pure.normaliser.outputs(free), truth, pure.normaliser.target_std)
            parts.append(truth_loss.mean)
        return torch.stack(parts).sum()

    def competition_loss(assemble: Callable) -> Loss:
        sample = [value.to(device) for value in assemble(windows, cached, index, ages)]

        def loss() -> Tensor:
            weighted, initial, age, fractions, truth = sample
            free = competition(drivers, static, weighted, initial, age, fractions)
            normaliser = competition.normaliser
            return target_loss(normaliser.outputs(free), truth, normaliser.target_std).mean

        return loss

    def types_loss() -> Tensor:
        yearly = dere.plant_types(drivers, static, before[:, None].expand(-1, len(every), -1), years)
        return squared(torch.einsum("bk,bkyp->byp", weights, yearly), observed, torch.ones((), device=device)).mean

    def towers_loss() -> Tensor:
        targets, _ = dere(frozen, drivers, static, before, state[:, MIXTURE], years, weights)
        return squared(targets, flux, torch.ones((), device=device)).mean

    def single_loss(chosen: Tensor) -> Loss:
        some = chosen.to(device)

        def loss() -> Tensor:
            prediction = single(drivers, static, state[:, MIXTURE][:, some], years[some], weights[:, some])
            return squared(prediction, flux, torch.ones((), device=device)).mean

        return loss

    return {
        f"pure stands, {AGES} ages": (pure, pure_loss),
        f"mixture, {AGES} ages": (competition, competition_loss(per_age)),
        "age distribution": (competition, competition_loss(age_weighted)),
        "plant types, all ages": (dere.plant_types, types_loss),
        "towers, all ages": (dere, towers_loss),
        "baseline": (single, single_loss(every[:1])),
        "KGML at towers, all ages": (single, single_loss(every)),
        **imputation(size, device),
    }


def imputation(size: Size, device: str) -> dict[str, tuple[nn.Module, Loss]]:
    """The two trainings behind the expanded labels, with the batch of their own configuration."""
    config, copies = size.imputation, 2
    # drivers with two simulated channels, this month's and two of its past (see `dere.imputation.point.features`)
    channels = size.drivers + len(SIMULATED)
    features = 3 * channels + 2 + size.static
    banks = (config.point.groups + 1) * config.point.members
    point = PointModel(
        features, config.point.groups, config.point.members, config.point.width, config.point.dropout,
        config.point.input_noise,
    ).to(device).train()  # fmt: skip
    rows = config.point.training.batch
    row = Rows(*(torch.rand(banks, rows, *last, device=device) for last in ((features,), (2,), (2,), ())))
    denoiser = Denoiser(
        channels + 13, size.static, config.channels, config.layers, config.heads, config.dropout
    ).to(device).train()  # fmt: skip
    many = config.training.batch
    shape = (many, size.window)
    side = (
        torch.randn(*shape, channels + 13, device=device),
        torch.randn(many, size.static, device=device),
        torch.ones(shape, device=device),
        torch.ones(*shape, 2, device=device),
        torch.randn(*shape, 2, device=device),
    )
    noisy = torch.randn(many, copies, size.window, 2, device=device)
    step = torch.randint(1, config.diffusion_steps + 1, (many, copies), device=device)
    nothing = np.empty(0)
    batch = Batch(Inputs(*side, Moments(*[nothing] * len(fields(Moments)))), noisy, torch.randn_like(noisy), step)
    return {
        f"imputation, point model, {rows} months": (point, lambda: row_loss(point, row).mean),
        f"imputation, denoiser, {many} sites": (denoiser, lambda: denoising_loss(denoiser, batch).mean),
    }


def step_of(network: nn.Module, loss: Loss) -> Callable[[], Tensor]:
    """A training step: forward, backward, optimiser."""
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-4)

    def step() -> Tensor:
        optimiser.zero_grad(set_to_none=True)
        value = loss()
        value.backward()
        optimiser.step()
        return value.detach()

    return step


def operations(step: Callable[[], Tensor]) -> int:
    """Floating-point operations of a step; a fused attention would count as none on a CPU."""
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


def matrix_share(step: Callable[[], Tensor], device: str) -> float:
    """Share of matrix kernels in the time of a step."""
    cuda = device.startswith("cuda")
    with profile(activities=[ProfilerActivity.CUDA if cuda else ProfilerActivity.CPU]) as profiled:
        step()
    times = {e.key: e.self_device_time_total if cuda else e.self_cpu_time_total for e in profiled.key_averages()}
    return sum(t for name, t in times.items() if any(part in name for part in MATRIX)) / sum(times.values())


def seconds(measured: Measured, device: str) -> float:
    """CPU seconds on a CPU, which other work does not lengthen much: speeds are per core; wall seconds on a GPU."""
    return measured.wall if device.startswith("cuda") else measured.cpu


def matrix_product(width: int, repeats: int, device: str) -> float:
    """Operations per second of a product of two square matrices."""
    a, b = torch.randn(2, width, width, device=device)
    return 2 * width**3 / seconds(in_turns({"product": lambda: a @ b}, repeats, device)["product"], device)


def measure(size: Size, batch: int, repeats: int, product: int, device: str = "cpu") -> tuple[list[list[str]], float]:
    """One row per stage: operations, seconds, speed, its share of the matrix product's, share of matrix kernels."""
    rows = []
    peak = matrix_product(product, 3 * repeats, device)
    for name, (network, loss) in stages(size, size.windows(batch), batch, device).items():
        step = step_of(network, loss)
        count = operations(step)
        took = seconds(in_turns({name: step}, repeats, device)[name], device)
        # again, because other work on the machine comes and goes
        peak = max(peak, matrix_product(product, repeats, device))
        rows.append((name, count, took, matrix_share(step, device)))
    return [
        [name, f"{count * 1e-9:.3g}", f"{took:.3g}", f"{count / took * 1e-9:.3g}", f"{count / took / peak:.0%}",
         f"{share:.0%}"]
        for name, count, took, share in rows
    ], peak  # fmt: skip


def main(given: list[str] | None = None) -> None:
    options: argparse.ArgumentParser = parser(__doc__, 3)
    options.add_argument("--batch", type=int, default=2, help="windows per step at the published width")
    options.add_argument("--product", type=int, default=2048, help="rows of the large matrix product")
    arguments = options.parse_args(given)
    start(arguments)
    few = arguments.batch
    sizes = {
        "default run, batch 16": (DEFAULT, 16),
        f"our block, width 512, batch {few}": (WIDE, few),
        f"published block, batch {few}": (PUBLISHED, few),
    }
    if arguments.tiny:
        sizes = {"tiny": (TINY, 2)}
    for name, (size, batch) in sizes.items():
        product = 64 if arguments.tiny else arguments.product
        rows, peak = measure(size, batch, arguments.repeats, product, arguments.device)
        head = [name, "GFLOP", "seconds", "GFLOP/s", "of the matrix product", "matrix kernels' share of time"]
        log.info("\n%s", table(head, rows))
        log.info("matrix product of %d rows: %.3g GFLOP/s", product, peak * 1e-9)


if __name__ == "__main__":
    main()
