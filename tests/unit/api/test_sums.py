"""Sums of a site by several files: the scatter between them is in the interval, of which one file is a special case."""

import numpy as np
import pytest

from dere.api.sums import joined
from dere.intervals.spread import truth_limits
from invented_errors import KNOWN

TAILS = np.array([0.05, 0.95])


def test_one_file_is_as_it_says_and_files_that_differ_have_a_wider_interval():
    total, scale = np.array([900.0, 800.0, -100.0]), np.array([120.0, 90.0, 60.0])
    mean, std, low, high = joined([KNOWN], total[None], scale[None], TAILS)
    own, ends = truth_limits(total, scale, KNOWN, TAILS)
    np.testing.assert_allclose(np.stack([mean, std, low, high]), np.stack([total, own, *ends.T]))
    apart = np.array([[200.0, 0.0, -200.0], [-200.0, 0.0, 200.0]])
    mean, wide, low_wide, high_wide = joined([KNOWN] * 2, total + apart, np.stack([scale] * 2), TAILS)
    np.testing.assert_allclose(mean, total)
    assert wide[2] ** 2 == pytest.approx(own[2] ** 2 + 2 * 200.0**2)
    assert (low_wide[[0, 2]] < low[[0, 2]]).all() and (high_wide[[0, 2]] > high[[0, 2]]).all()
    assert low_wide[1] == pytest.approx(low[1]) and high_wide[1] == pytest.approx(high[1])
