"""Stationary wavelets against a loop; reconstruction is exact."""

import torch

from dere.layers.wavelets import HAAR, StationaryWavelet


def test_reconstruction_is_exact():
    transform = StationaryWavelet(4, 3).double()
    x = torch.randn(2, 4, 16, dtype=torch.float64)
    coefficients = transform(x)
    assert coefficients.shape == (2, 4, 4, 16)
    torch.testing.assert_close(transform.inverse(coefficients), x)


def test_levels_are_sums_and_differences_of_ever_further_neighbours():
    x = torch.randn(1, 1, 16)
    coefficients = StationaryWavelet(1, 3)(x)[0, 0]
    approximation, details = x[0, 0], []
    for level in range(3):
        shifted = approximation.roll(-(2**level))
        details.append(HAAR * (approximation - shifted))
        approximation = HAAR * (approximation + shifted)
    torch.testing.assert_close(coefficients, torch.stack([approximation, *reversed(details)]))
