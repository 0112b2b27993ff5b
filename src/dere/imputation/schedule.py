"""Forward process and few-step samplers of the diffusion.

Steps count from 1 to T; step 0 is the clean series. With a = cumulative signal share, x_t = sqrt(a) x_0 +
sqrt(1 - a) e. The network predicts the velocity v = sqrt(a) e - sqrt(1 - a) x_0 (Salimans and Ho 2022): an output of
zero is then the exact answer for an uncorrelated unit Gaussian, so that an untrained network already samples the
Gaussian prior. Noise is never clipped (docs/deviations.md#imputation).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Velocity = Callable[[Tensor, int], Tensor]


@dataclass(frozen=True)
class Schedule:
    """Signal shares of a noise schedule.

    Parameters
    ----------
    signal
        Cumulative signal share a for steps 0..T, shape (T + 1,), float64; a[0] = 1.
    """

    signal: Tensor

    @property
    def steps(self) -> int:
        """Number of steps T."""
        return len(self.signal) - 1


def quadratic(steps: int, first: float = 1e-4, last: float = 0.5) -> Schedule:
    """Schedule whose noise rate is quadratic in the step (square root linear), as CSDI's."""
    beta = torch.linspace(first**0.5, last**0.5, steps, dtype=torch.float64) ** 2
    return Schedule(torch.cat([torch.ones(1, dtype=torch.float64), torch.cumprod(1 - beta, 0)]))


def diffuse(schedule: Schedule, clean: Tensor, noise: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
    """Noisy series and velocity target.

    Parameters
    ----------
    clean, noise
        Shape (batch, ...).
    step
        Integer steps in 1..T, shape (batch,).

    Returns
    -------
    tuple
        x_t and v, both of the shape of ``clean``.
    """
    a = schedule.signal.to(clean)[step].view(-1, *[1] * (clean.dim() - 1))
    root, rest = a.sqrt(), (1 - a).sqrt()
    return root * clean + rest * noise, root * noise - rest * clean


def step_sequence(schedule: Schedule, calls: int, sampler: str = "dpm") -> list[int]:
    """Steps visited, from T down to 1, spaced evenly in what the sampler integrates over.

    That is half the log ratio of signal to noise for dpm (with 15 calls the spread of Gaussians of any width is then
    right within 3 %; evenly spaced steps miss it by up to 20 %), and the angle arccos(sqrt(a)) for ddim.
    """
    if calls >= schedule.steps:
        return list(range(schedule.steps, 0, -1))
    signal = schedule.signal[1:]
    place = torch.arccos(signal.sqrt()) if sampler == "ddim" else torch.log((1 - signal) / signal)
    wanted = torch.linspace(float(place[-1]), float(place[0]), calls, dtype=torch.float64)
    nearest = (place[None] - wanted[:, None]).abs().argmin(1) + 1
    return sorted({int(step) for step in nearest}, reverse=True)


def sample(
    schedule: Schedule,
    velocity: Velocity,
    start: Tensor,
    calls: int,
    *,
    sampler: str = "dpm",
    eta: float = 0.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Run the reverse process.

    Parameters
    ----------
    velocity
        Maps (x_t, step) to the predicted velocity.
    start
        Standard normal noise at step T.
    calls
        Network calls.
    sampler
        "ddim" (Song and others 2021) or "dpm" (second-order multistep, Lu and others 2022, data prediction).
    eta
        Only for ddim; 0 is deterministic, 1 is ancestral sampling on the chosen steps.
    generator
        Source of the fresh noise where ``eta`` > 0.

    Returns
    -------
    Tensor
        Clean series, shape of ``start``.

    Raises
    ------
    ValueError
        When the network returns something that is not finite.
    """
    visited = [*step_sequence(schedule, calls, sampler), 0]
    signal = [float(a) for a in schedule.signal]
    x = start
    before: tuple[Tensor, float] | None = None
    for now, then in itertools.pairwise(visited):
        a, b = signal[now], signal[then]
        v = velocity(x, now)
        clean = a**0.5 * x - (1 - a) ** 0.5 * v
        if sampler == "ddim":
            noise = (1 - a) ** 0.5 * x + a**0.5 * v
            fresh = eta * ((1 - b) / (1 - a) * (1 - a / b)) ** 0.5
            x = b**0.5 * clean + max(1 - b - fresh**2, 0.0) ** 0.5 * noise
            if fresh > 0:
                x = x + fresh * torch.randn(x.shape, generator=generator, dtype=x.dtype).to(x.device)
        else:
            ratio = math.log(a / (1 - a)) / 2
            if then == 0:
                x = clean
                break
            length = math.log(b / (1 - b)) / 2 - ratio
            guess = clean
            if before is not None:
                guess = clean + length / (ratio - before[1]) / 2 * (clean - before[0])
            x = ((1 - b) / (1 - a)) ** 0.5 * x - b**0.5 * math.expm1(-length) * guess
            before = clean, ratio
    if not torch.isfinite(x).all():
        raise ValueError("the diffusion sampler produced values that are not finite; train the imputation again")
    return x
