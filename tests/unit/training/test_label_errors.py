"""Weights of labels by the inverse of their stated error and the model's."""

import numpy as np

from dere.training.read_places import Labels
from dere.training.tower_data import by_errors

FLUX = np.array([[[3.0, 1.0], [4.0, np.nan], [5.0, 2.0], [np.nan, 1.0]]], np.float32)
QUALITY = np.array([[[1.0, 0.8], [0.5, 0.0], [1.0, 1.0], [0.0, 0.6]]], np.float32)
UNCERTAINTY = np.array([[[0.1, 0.3], [0.5, 0.1], [np.nan, 0.3], [0.2, 0.3]]])
STD = np.array([2.0, 1.0])


def test_weights_are_inverse_variances_whose_mean_stays():
    found = by_errors(Labels(FLUX, QUALITY), UNCERTAINTY, 0.1, STD)
    # the label without a stated error has the mean variance of the other two
    variance = np.array([0.01, 0.25, 0.13]) + 0.2**2
    expected = np.array([1.0, 0.5, 1.0]) / variance
    np.testing.assert_allclose(found.quality[0, :3, 0], expected * 2.5 / expected.sum(), rtol=1e-6)
    # equal errors change nothing, and what is no label keeps its weight
    np.testing.assert_allclose(found.quality[0, [0, 2, 3], 1], [0.8, 1.0, 0.6], rtol=1e-6)
    assert found.quality[0, 1, 1] == 0 and found.quality[0, 3, 0] == 0
    np.testing.assert_array_equal(QUALITY[0, :, 0], [1.0, 0.5, 1.0, 0.0])


def test_a_large_model_error_or_no_stated_one_leaves_the_quality():
    labels = Labels(FLUX, QUALITY)
    np.testing.assert_allclose(by_errors(labels, UNCERTAINTY, 1e4, STD).quality, QUALITY, rtol=1e-6)
    assert by_errors(labels, None, 0.1, STD) is labels
    nothing = by_errors(labels, np.full_like(UNCERTAINTY, np.nan), 0.1, STD)
    np.testing.assert_array_equal(nothing.quality, QUALITY)
