"""The sampler's own part in the spread of trajectories, which is an error bar: few calls against fifty."""

import math

import numpy as np
import pytest
import torch

from dere.config.imputation import ImputationConfig
from dere.imputation import schedule as diffusion
from dere.imputation.sampling import diffused
from dere.imputation.series import series_of
from dere.imputation.stretches import Request, Stretch

DEFAULT = ImputationConfig()


def spread_of_gaussian(sigma: float, calls: int, sampler: str, eta: float) -> float:
    """Spread over the right one with the exact velocity of N(0.5, sigma^2)."""
    schedule = diffusion.quadratic(DEFAULT.diffusion_steps)

    def velocity(x, step):
        a = float(schedule.signal[step])
        clean = 0.5 + math.sqrt(a) * sigma**2 / (a * sigma**2 + 1 - a) * (x - math.sqrt(a) * 0.5)
        return (math.sqrt(a) * x - clean) / math.sqrt(1 - a)

    start = torch.randn(20000, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    generator = torch.Generator().manual_seed(2)
    made = diffusion.sample(schedule, velocity, start, calls, sampler=sampler, eta=eta, generator=generator)
    return float(made.std()) / sigma


@pytest.mark.parametrize("sigma", [0.3, 0.6, 1.0, 1.5])
def test_few_calls_have_the_spread_of_fifty_and_nearly_the_right_one(sigma):
    few, many = (spread_of_gaussian(sigma, n, DEFAULT.sampler, DEFAULT.eta) for n in (DEFAULT.sampling_steps, 50))
    assert few == pytest.approx(many, rel=0.05) and few == pytest.approx(1.0, abs=0.04)
    assert spread_of_gaussian(sigma, 50, "ddim", 1.0) < 0.96, "ancestral sampling is no reference"


def test_few_calls_of_a_trained_network_have_the_spread_of_fifty(trained, towers, splits, statistics, config):
    imputer = trained[0]
    series = series_of(towers, splits, statistics, config)
    hidden = np.zeros((48, 2), bool)
    requests = [Request(Stretch(site, 6, 54), hidden) for site in (1, 6, 11)]
    spreads = []
    kept = imputer.config
    for calls in (DEFAULT.sampling_steps, 50):
        imputer.config = kept.model_copy(update={"sampler": DEFAULT.sampler, "sampling_steps": calls})
        drawn = diffused(imputer, series, imputer.predict_point(series), requests, 40, 3)
        spreads.append(np.sqrt(np.concatenate([value.var(0) for value in drawn]).mean(0)))
    imputer.config = kept
    assert spreads[0] == pytest.approx(spreads[1], rel=0.05)
