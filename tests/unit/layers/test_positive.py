"""Softplus pair and the correction in pre-activation."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from dere.layers.positive import EASE, FLOOR, correct, inverse_positive, positive


@given(st.floats(1e-4, 80.0))
def test_inverse_pair(value):
    x = torch.tensor(value, dtype=torch.float64)
    torch.testing.assert_close(positive(inverse_positive(x)), x, rtol=1e-6, atol=1e-9)


def test_no_correction_returns_the_sum_also_for_zero_and_large_values():
    scaled = torch.tensor([0.0, 1e-6, 0.3, 5.0, 60.0])
    for floor in (FLOOR, EASE):
        torch.testing.assert_close(correct(scaled, torch.zeros(5), floor), scaled, rtol=1e-5, atol=1e-6)


def test_with_ease_a_flux_of_zero_can_be_raised():
    """With the usual floor the slope at zero is so small that no training leaves it."""
    slopes = []
    for floor in (FLOOR, EASE):
        correction = torch.full((1,), 0.01, requires_grad=True)
        correct(torch.zeros(1), correction, floor).sum().backward()
        slopes.append(float(correction.grad))
    assert slopes[0] < 2e-4 and slopes[1] > 0.045


def test_corrected_values_stay_non_negative_and_have_gradient():
    correction = torch.tensor([-6.0, -1.0, 2.0], requires_grad=True)
    out = correct(torch.tensor([0.2, 0.2, 0.2]), correction)
    assert (out >= 0).all()
    out.sum().backward()
    assert (correction.grad > 0).all()
