"""Invented statistics and inputs for networks of tiny size."""

import pytest
import torch
from dere.models.inputs import Statistics

from dere.backbones.transformer import TransformerConfig

DRIVERS, STATIC, WINDOW = 5, 4, 24


@pytest.fixture
def statistics():
    return Statistics(
        driver_mean=torch.zeros(DRIVERS),
        driver_std=torch.ones(DRIVERS),
        static_mean=torch.zeros(STATIC),
        static_std=torch.ones(STATIC),
        target_mean=torch.tensor([10.0, 3.0, 6.0, 2.0, 3.0, 1.5, 1.4, -0.1, 1.5, 2.9]),
        target_std=torch.tensor([6.0, 4.0, 3.0, 2.0, 3.0, 2.0, 1.0, 1.5, 1.6, 2.5]),
        flux_mean=torch.tensor([3.0, 2.6, -0.4]),
        flux_std=torch.tensor([3.0, 2.0, 1.8]),
    )


@pytest.fixture
def arguments(statistics):
    return "transformer", TransformerConfig(width=16, heads=2, feedforward=24), WINDOW, statistics


@pytest.fixture
def site():
    g = torch.Generator().manual_seed(3)
    ages = torch.tensor([1.0, 50.0, 200.0])
    return {
        "drivers": torch.randn(2, WINDOW, DRIVERS, generator=g),
        "static": torch.randn(2, STATIC, generator=g),
        "states": torch.rand(2, 4, 3, 10, generator=g) * 5,
        "ages": ages,
        "weights": torch.softmax(torch.randn(2, 3, generator=g), -1),
        "start": torch.softmax(torch.randn(2, 3, generator=g), -1),
    }
