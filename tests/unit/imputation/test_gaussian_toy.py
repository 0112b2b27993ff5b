"""A process with a known conditional distribution: the diffusion must find it, mean and spread."""

import numpy as np
import pytest
import torch

from dere.config.training import TrainingConfig
from dere.imputation import schedule as diffusion
from dere.imputation.batches import Inputs, loss, noisy_batch
from dere.imputation.denoiser import Denoiser
from dere.training.loop import fit

LENGTH, RHO, CROSS = 12, 0.8, 0.6
LAGS = np.abs(np.arange(LENGTH)[:, None] - np.arange(LENGTH))
COVARIANCE = np.kron(RHO**LAGS, [[1.0, CROSS], [CROSS, 1.0]])
ROOT = np.linalg.cholesky(COVARIANCE)
SCHEDULE = diffusion.quadratic(50)


def _inputs(rng: np.random.Generator, many: int) -> Inputs:
    value = (rng.normal(size=(many, 2 * LENGTH)) @ ROOT.T).reshape(many, LENGTH, 2)
    begin, run = rng.integers(0, LENGTH, (many, 1)), rng.integers(2, 9, (many, 1))
    index = np.arange(LENGTH)
    hidden = ((index >= begin) & (index < begin + run)).astype(float)
    target = np.stack([hidden] * 2, -1)
    # every third series keeps its first channel and loses the other, in the months that stay or in all
    target[::3, :, 0], target[::3, :, 1] = (
        0.0,
        np.where(np.arange(len(target[::3]))[:, None] % 2, 1.0, target[::3, :, 1]),
    )
    monthly = np.concatenate([value * (1 - target), 1 - target.mean(-1, keepdims=True), target.any(-1)[..., None]], -1)
    pieces = (monthly, np.zeros((many, 1)), np.ones((many, LENGTH)), target, value)
    return Inputs(*(torch.from_numpy(p).float() for p in pieces), moments=None)  # type: ignore[arg-type]


def _draw(generator: torch.Generator, many: int = 96):
    rng = np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))
    step = torch.randint(1, 51, (many, 1), generator=generator)
    return noisy_batch(_inputs(rng, many), SCHEDULE, step, generator)


@pytest.mark.slow
def test_coverage_mean_and_spread_of_the_known_conditional():
    torch.manual_seed(0)
    model = Denoiser(4, 1, channels=24, layers=3, heads=2, dropout=0.0)
    config = TrainingConfig(epochs=6, steps_per_epoch=200, batch=96, learning_rate=4e-3, patience=8)
    held = [_draw(torch.Generator().manual_seed(99), 400)]
    fit(model, draw=_draw, validation=held, loss=loss, config=config, seed=0)

    inputs, samples = _inputs(np.random.default_rng(7), 600), 60
    start = torch.randn((600, samples, LENGTH, 2), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        side = model.encode(inputs.monthly, inputs.static, inputs.carries, inputs.target)
        drawn = diffusion.sample(SCHEDULE, lambda x, t: model(side, x, torch.full((1, 1), t)), start, 15).numpy()
    inside, error, ratio = [], [], []
    for row in range(600):
        hidden = inputs.target[row].numpy().reshape(-1) > 0
        truth = inputs.value[row].numpy().reshape(-1)
        gain = COVARIANCE[np.ix_(hidden, ~hidden)] @ np.linalg.inv(COVARIANCE[np.ix_(~hidden, ~hidden)])
        mean = gain @ truth[~hidden]
        std = np.sqrt(np.diag(COVARIANCE[np.ix_(hidden, hidden)] - gain @ COVARIANCE[np.ix_(~hidden, hidden)]))
        made = drawn[row].reshape(samples, -1)[:, hidden]
        low, high = np.quantile(made, [0.05, 0.95], axis=0, method="weibull")
        inside.append((truth[hidden] >= low) & (truth[hidden] <= high))
        error.append((made.mean(0) - mean) / std)
        ratio.append(made.std(0, ddof=1) / std)
    coverage = np.concatenate(inside).mean()
    assert 0.88 <= coverage <= 0.92, coverage
    assert np.sqrt(np.mean(np.concatenate(error) ** 2)) < 0.3
    assert np.mean(np.concatenate(ratio)) == pytest.approx(1.0, abs=0.08)
