"""From stretches of sites to network inputs: side channels, standardised values, training and validation draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dere.config.imputation import ImputationConfig
from dere.imputation.augment import Alter, resample
from dere.imputation.denoiser import Denoiser
from dere.imputation.masks import KINDS, GapStatistics, draw_kind, draw_mask
from dere.imputation.prior import Moments, SitePrior, condition
from dere.imputation.schedule import Schedule, diffuse
from dere.imputation.series import COMPONENTS, Series
from dere.imputation.stretches import Stretch
from dere.training.loop import LossParts

RECO = COMPONENTS.index("reco")


@dataclass(frozen=True)
class Inputs:
    """Side inputs of a batch, all float32 except the moments; L is a multiple of 12.

    Parameters
    ----------
    monthly
        (B, L, drivers + 13).
    static
        (B, S).
    carries
        (B, L): months with anything observed or generated.
    target
        (B, L, 2): values to generate, a month's NEE and RECO or RECO alone.
    value
        Standardised deviation from the conditional prior, (B, L, 2); 0 where nothing was observed.
    moments
        Conditional prior in gC m-2 d-1.
    """

    monthly: Tensor
    static: Tensor
    carries: Tensor
    target: Tensor
    value: Tensor
    moments: Moments


@dataclass(frozen=True)
class Recipe:
    """What the batches of a denoiser are made with: site prior, gaps to imitate, configuration, noise schedule.

    ``alone`` is the share of draws that lose RECO and keep NEE, so that the denoiser learns to add RECO to a known NEE.
    """

    prior: SitePrior
    gaps: GapStatistics
    config: ImputationConfig
    schedule: Schedule
    alone: float = 0.0


@dataclass(frozen=True)
class Batch:
    """A training or validation batch: inputs plus noisy series, velocity target (B, k, L, 2) and steps (B, k)."""

    inputs: Inputs
    noisy: Tensor
    target: Tensor
    step: Tensor


def assemble(
    series: Series,
    point: NDArray[np.float64],
    prior: SitePrior,
    stretches: Sequence[Stretch],
    known: Sequence[NDArray[np.bool_]],
    target: Sequence[NDArray[np.bool_]],
    device: str = "cpu",
    alter: Alter | None = None,
) -> Inputs:
    """Network inputs of some stretches.

    Parameters
    ----------
    point
        Point prediction (S, T, 2).
    known, target
        Per stretch, (months, 2): conditioning values, values to generate. Months with neither carry nothing.
    alter
        Resamples the deviations (training only), see `dere.imputation.augment`.
    """
    length = max(s.stop - s.start for s in stretches)
    length += -length % 12
    shape = (len(stretches), length)
    index = np.stack([np.minimum(s.start + np.arange(length), s.stop - 1) for s in stretches])
    site = np.array([s.site for s in stretches])
    inside = np.arange(length) < np.array([[s.stop - s.start] for s in stretches])
    seen, wanted = np.zeros((*shape, 2), bool), np.zeros((*shape, 2), bool)
    for row, (a, b) in enumerate(zip(known, target, strict=True)):
        seen[row, : len(a)], wanted[row, : len(b)] = a, b
    # the axis continues through the padding, so that row t of every sequence keeps its calendar month
    phase = (series.phase[site, index[:, 0]][:, None] + np.arange(length)) % 12
    flux = series.flux[site[:, None], index]
    guess = point[site[:, None], index]
    if alter is not None:
        flux = alter(flux, guess, phase, inside)
    moments = condition(prior, guess, flux, phase, inside, seen)
    value = np.where(inside[..., None], (flux - moments.mean) / moments.std, 0.0)
    value = np.where(seen | (wanted & np.isfinite(flux)), value, 0.0)
    angle = 2 * np.pi * phase / 12
    drivers = series.drivers[site[:, None], index] * inside[..., None]
    active = np.asarray(wanted.any(-1))
    # one channel for what is known: all, nothing, or half of it; the values tell which half
    flags = np.stack([seen.mean(-1), active, inside, np.cos(angle), np.sin(angle)], -1)
    extra = [
        value * seen,
        flags,
        moments.mean / 3.0,
        np.log(moments.std),
        moments.noise / moments.std,
    ]
    monthly = np.concatenate([drivers, *extra], -1)

    def tensor(array: NDArray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array, np.float32)).to(device)

    return Inputs(
        monthly=tensor(monthly),
        static=tensor(series.statics[site]),
        carries=tensor(active | seen.any(-1)),
        target=tensor(wanted),
        value=tensor(value),
        moments=moments,
    )


def noisy_batch(inputs: Inputs, schedule: Schedule, step: Tensor, generator: torch.Generator) -> Batch:
    """Add noise at steps (B, k); the target is the velocity at the hidden months."""
    b, k = step.shape
    clean = inputs.value[:, None].expand(-1, k, -1, -1)
    noise = torch.randn(clean.shape, generator=generator).to(clean.device)
    noisy, target = diffuse(schedule, clean.reshape(b * k, *clean.shape[2:]), noise.flatten(0, 1), step.flatten())
    return Batch(inputs, noisy.view_as(clean), target.view_as(clean), step.to(clean.device))


def loss(denoiser: Denoiser, batch: Batch) -> LossParts:
    """Squared velocity error over hidden values: sum and count (never a mean over missing ones)."""
    inputs = batch.inputs
    side = denoiser.encode(inputs.monthly, inputs.static, inputs.carries, inputs.target)
    error = (denoiser(side, batch.noisy, batch.step) - batch.target) ** 2
    mask = inputs.target[:, None].expand_as(error)
    return LossParts((error * mask).sum(), mask.sum())


def random_stretch(series: Series, site: int, window: int, rng: np.random.Generator) -> Stretch:
    """A stretch of at most ``window`` months around a random complete month of a site, observed where none is."""
    start, stop = int(series.start[site]), int(series.stop[site])
    if stop - start > window:
        months = series.complete[site] if series.complete[site].any() else series.observed[site]
        middle = int(rng.choice(np.flatnonzero(months)))
        first = int(np.clip(middle - rng.integers(0, window), start, stop - window))
        return Stretch(site, first, first + window)
    return Stretch(site, start, stop)


def masked_inputs(
    series: Series,
    point: NDArray[np.float64],
    recipe: Recipe,
    picks: Sequence[tuple[Stretch, str]],
    rng: np.random.Generator,
    device: str = "cpu",
    alter: Alter | None = None,
) -> Inputs:
    """Inputs with some observed months hidden; of those only the complete ones are generated.

    In ``recipe.alone`` of the draws RECO is hidden and generated, given NEE, in a run of the complete months that stay
    known or in all of them. Their site effects are not redrawn (`resample`), because those of NEE and RECO are redrawn
    independently, and what NEE says of RECO is to be learned here.
    """
    known, target, alone = [], [], np.zeros(len(picks), bool)
    for row, (stretch, kind) in enumerate(picks):
        at = stretch.site, slice(stretch.start, stretch.stop)
        mask = draw_mask(kind, series.observed[at], series.phase[at], recipe.gaps, rng)
        seen = series.known[at] & ~mask[:, None]
        hidden = np.repeat((mask & series.complete[at])[:, None], 2, 1)
        if recipe.alone and rng.random() < recipe.alone:
            alone[row] = True
            lost = seen.all(-1) & _run(len(mask), rng)
            seen[lost, RECO], hidden[lost, RECO] = False, True
        known.append(seen)
        target.append(hidden)
    of_stretch = None if alter is None else partial(alter, fixed=alone)
    return assemble(series, point, recipe.prior, [s for s, _ in picks], known, target, device, of_stretch)


def _run(months: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """All months, or every second time a run of half a year or longer."""
    start, length = 0, months
    if rng.random() < 0.5:
        length = int(rng.integers(min(6, months), months + 1))
        start = int(rng.integers(0, months - length + 1))
    index = np.arange(months)
    return (index >= start) & (index < start + length)


def training_draw(
    series: Series,
    point: NDArray[np.float64],
    recipe: Recipe,
    device: str = "cpu",
    copies: int = 2,
) -> Callable[[torch.Generator], Batch]:
    """Random batches: sites by the root of their complete months, a stretch, a gap kind, steps and noise.

    ``copies`` noisy copies share one encoding of the side information.
    """
    config, schedule = recipe.config, recipe.schedule
    share = np.sqrt(series.complete.sum(1).astype(float))
    share /= share.sum()

    def draw(generator: torch.Generator) -> Batch:
        rng = np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))
        sites = rng.choice(len(share), config.training.batch, p=share)
        picks = [(random_stretch(series, int(s), config.window, rng), draw_kind(config.masks, rng)) for s in sites]
        alter = resample(recipe.prior, config.resample_effects, config.resample_sign, rng)
        inputs = masked_inputs(series, point, recipe, picks, rng, device, alter)
        step = torch.randint(1, schedule.steps + 1, (len(picks), copies), generator=generator)
        return noisy_batch(inputs, schedule, step, generator)

    return draw


def validation_batches(
    series: Series,
    point: NDArray[np.float64],
    recipe: Recipe,
    seed: int,
    device: str = "cpu",
    levels: int = 5,
) -> list[Batch]:
    """Fixed batches: every site with every kind of gap of the mixture, fixed noise, ``levels`` steps."""
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    config, schedule = recipe.config, recipe.schedule
    kinds = [kind for kind in KINDS if getattr(config.masks, kind) > 0]
    steps = np.linspace(0.1, 0.9, levels) * schedule.steps
    batches = []
    for kind in kinds:
        picks = [
            (random_stretch(series, site, config.window, rng), kind)
            for site in range(len(series.sites))
            if series.complete[site].any()
        ]
        inputs = masked_inputs(series, point, recipe, picks, rng, device)
        step = torch.from_numpy(np.maximum(steps.round(), 1).astype(np.int64)).expand(len(picks), -1).contiguous()
        batches.append(noisy_batch(inputs, schedule, step, generator))
    return batches
