"""Forward process and few-step samplers of the diffusion.

Steps count from 1 to T; step 0 is the clean series. With a = cumulative signal share, x_t = sqrt(a) x_0 +
sqrt(1 - a) e. The network predicts the velocity v = sqrt(a) e - sqrt(1 - a) x_0 (Salimans and Ho 2022): an output of
zero is then the exact answer for an uncorrelated unit Gaussian, so that an untrained network already samples the
Gaussian prior. Noise is never clipped (dere-reference 6.3, 19).
"""

from __future__ import annotations

import itertools
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


def step_sequence(schedule: Schedule, calls: int) -> list[int]:
    """Steps visited, from T down to 1, evenly spaced in the angle arccos(sqrt(a)).

    Even spacing in the angle gives every call the same share of the way from noise to data.
    """
    if calls >= schedule.steps:
        return list(range(schedule.steps, 0, -1))
    angle = torch.arccos(schedule.signal.sqrt())[1:]
    wanted = torch.linspace(float(angle[-1]), float(angle[0]), calls, dtype=torch.float64)
    nearest = (angle[None] - wanted[:, None]).abs().argmin(1) + 1
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
    visited = [*step_sequence(schedule, calls), 0]
    signal = [float(a) for a in schedule.signal]
    x, before, before_ratio = start, None, None
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
            ratio = torch.tensor((a / (1 - a)) ** 0.5, dtype=torch.float64).log()
            if then == 0:
                x = clean
                break
            length = torch.tensor((b / (1 - b)) ** 0.5, dtype=torch.float64).log() - ratio
            guess = clean
            if before is not None:
                guess = clean + float(length / (ratio - before_ratio)) / 2 * (clean - before)
            x = ((1 - b) / (1 - a)) ** 0.5 * x - b**0.5 * float(torch.expm1(-length)) * guess
            before, before_ratio = clean, ratio
    if not torch.isfinite(x).all():
        raise ValueError("the diffusion sampler produced values that are not finite; train the imputation again")
    return x
