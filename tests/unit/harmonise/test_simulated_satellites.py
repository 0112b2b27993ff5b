"""Satellite channels of driver members follow their simulated leaf area."""

import numpy as np
import pytest
import xarray as xr

from dere.harmonise.simulated_satellites import LAI, member_satellites
from dere.variables import STANDS, TARGETS

MONTHS = 48


@pytest.fixture
def leaves():
    """Three sites with simulated leaf area, and members: each site, and one with twice the leaves of the first."""
    rng = np.random.default_rng(0)
    simulated = np.full((3, MONTHS, len(TARGETS)), np.nan)
    simulated[..., LAI] = rng.gamma(2.0, 1.0, (3, MONTHS))
    grown = np.concatenate([simulated, 2 * simulated[:1]])
    state = np.zeros((4, len(STANDS), 2, MONTHS, len(TARGETS)))
    state[:, STANDS.index("mixture")] = grown[:, None]
    state[:, : STANDS.index("mixture")] = 99.0
    towers = xr.Dataset(
        {
            "lai_satellite": (("site", "time"), simulated[..., LAI] ** 1.5 / 3),
            "evi_satellite": (("site", "time"), 0.1 + 0.08 * simulated[..., LAI]),
            "age_weight": (("site", "age"), np.full((3, 2), 0.5)),
        }
    )
    return towers, simulated, state, np.array([0, 1, 2, 0])


def test_members_get_the_observed_distribution_and_rise_with_their_leaves(leaves):
    towers, simulated, state, site = leaves
    seen = member_satellites(towers, simulated, state, site)
    for name, tolerance in (("lai_satellite", 0.05), ("evi_satellite", 0.01)):
        # here the satellites are functions of the simulated leaves, which the quantiles find again
        np.testing.assert_allclose(seen[name][:3], towers[name], atol=tolerance)
        assert seen[name][3].mean() > seen[name][0].mean()
        order = np.argsort(simulated[0, :, LAI])
        assert (np.diff(seen[name][0][order]) >= 0).all()


def test_sites_without_a_satellite_record_have_none_as_members(leaves):
    towers, simulated, state, site = leaves
    towers["lai_satellite"][1] = np.nan
    seen = member_satellites(towers.drop_vars("evi_satellite"), simulated, state, site)
    assert list(seen) == ["lai_satellite"]
    np.testing.assert_array_equal(np.isnan(seen["lai_satellite"]).all(1), [False, True, False, False])
    assert np.isfinite(seen["lai_satellite"][[0, 2, 3]]).all()
    towers["lai_satellite"][:] = np.nan
    assert np.isnan(member_satellites(towers, simulated, state, site)["lai_satellite"]).all()
