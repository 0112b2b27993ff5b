"""Annual copies in every cell are found, whatever their place; real seasons are not."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from dere.ingest.simulation.annual_targets import AnnualCount, count_annual, decide, require_fluxes, without_fluxes
from dere.variables import TARGETS

RNG = np.random.default_rng(0)
SEASONS = 2 + np.sin(np.arange(12)) * RNG.uniform(0.2, 1, (50, 3, 1))
COPIES = np.repeat(RNG.uniform(0.5, 3, (50, 3, 1)), 12, axis=2)


def test_copies_and_seasons():
    assert count_annual([SEASONS]) == AnnualCount(50, 0)
    assert count_annual([COPIES]) == AnnualCount(50, 50)
    # copies that went through another number type
    assert count_annual([COPIES.astype(np.float32) * (1 + 1e-7 * RNG.random(COPIES.shape))]).annual == 50
    # bare ground says nothing
    assert count_annual([np.zeros((4, 3, 12))]) == AnnualCount(0, 0)


def test_one_month_of_one_year_makes_a_season():
    almost = COPIES.copy()
    almost[7, 2, 11] *= 1.01
    assert count_annual([almost]).annual == 49


@given(st.integers(0, 49), st.integers(1, 50))
def test_no_cell_is_left_out_however_blocks_are_cut(place, size):
    mixed = SEASONS.copy()
    mixed[place] = COPIES[place]
    blocks = [mixed[start : start + size] for start in range(0, 50, size)]
    assert count_annual(blocks) == AnnualCount(50, 1)


def test_decision(caplog):
    assert not decide(AnnualCount(1000, 0), "refuse", "x.npy") and not caplog.text
    assert not decide(AnnualCount(1000, 9), "refuse", "x.npy") and "9 of 1000 series" in caplog.text
    with pytest.raises(ValueError, match=r"x\.npy: GPP repeats .* 11 of 1000 .*annual_targets: states_only"):
        decide(AnnualCount(1000, 11), "refuse", "x.npy")
    assert decide(AnnualCount(1000, 11), "states_only", "x.npy")


def test_fluxes_are_dropped_and_their_absence_is_refused():
    dims = ("cell", "stand", "age", "time", "target")
    state, initial = np.ones((2, 1, 1, 12, 10), np.float32), np.ones((2, 1, 1, 10), np.float32)
    simulation = xr.Dataset(
        {"state": (dims, state), "initial_state": (dims[:3] + dims[4:], initial)}, coords={"target": list(TARGETS)}
    )
    require_fluxes(simulation)
    dropped = without_fluxes(simulation)
    assert (
        np.isfinite(dropped["state"]).all(("cell", "stand", "age", "time")).values.tolist() == [True] * 4 + [False] * 6
    )
    assert dropped["state"].dtype == np.float32
    with pytest.raises(ValueError, match=r"holds states and no fluxes .*provider: builtin"):
        require_fluxes(dropped)
