"""Windows of sites and cells are one class: what they give does not depend on where the states come from."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dere.exchange.co2 import EXCHANGE
from dere.io import read_netcdf
from dere.training.read_places import cell_places, site_labels, site_places
from dere.training.windows import MIXTURE, select, simulated_states, windows_of
from dere.variables import STANDS
from dere.workflow.members import read_roles

MONTHS = 24
ALL = torch.arange(24)


@pytest.fixture(scope="module")
def members(canonical):
    return read_roles(canonical["splits"], 0)


@pytest.fixture(scope="module")
def places(canonical, members):
    sets = (read_netcdf(canonical[name]) for name in ("drivers", "simulation", "cover"))
    return cell_places(*sets, members, satellites=False, channels="none", window=MONTHS, stride=12, exchange=EXCHANGE)


def with_states(places, canonical, change=None):
    """Windows that bring simulated states."""
    simulation = read_netcdf(canonical["simulation"])
    if change:
        change(simulation)
    return windows_of(places, simulated=simulated_states(simulation, EXCHANGE.states))


def test_states_may_follow_from_the_simulation_or_come_with_the_places(places, canonical):
    predicted, trained = windows_of(places), with_states(places, canonical)
    assert predicted.simulated is None and trained.initial is None and len(trained) == len(predicted) == len(ALL)
    for index in (ALL, torch.tensor([5, 2, 5])):
        for name in ("inputs", "observed"):
            for a, b in zip(getattr(trained, name)(index), getattr(predicted, name)(index), strict=True):
                assert torch.equal(a, b), name
        for name in ("before", "weights", "months"):
            assert torch.equal(getattr(trained, name)(index), getattr(predicted, name)(index)), name
    assert trained.before(ALL).shape == (24, len(STANDS), 3, 10)


def test_they_agree_where_a_stand_was_not_simulated(canonical, members):
    def gaps(simulation):
        for name in ("state", "initial_state"):
            simulation[name][2:5, 0, 1] = np.nan

    drivers, simulation, cover = (read_netcdf(canonical[name]) for name in ("drivers", "simulation", "cover"))
    gaps(simulation)
    places = cell_places(
        drivers,
        simulation,
        cover,
        members,
        satellites=False,
        channels="none",
        window=MONTHS,
        stride=12,
        exchange=EXCHANGE,
    )
    trained = with_states(places, canonical, gaps)
    assert trained.simulation.state.isnan().any()
    assert torch.equal(trained.before(ALL), windows_of(places).before(ALL))


def test_windows_are_slices_of_what_is_stored_once(places, canonical):
    windows = with_states(places, canonical)
    simulation, cover = read_netcdf(canonical["simulation"]), read_netcdf(canonical["cover"])
    assert windows.drivers.shape == (12, 36, 8)
    ages = torch.tensor([0, 2])
    for window in range(len(windows)):
        place, start = divmod(window, 2)[0], 12 * (window % 2)
        one = torch.tensor([window])
        drivers, static = windows.inputs(one)
        np.testing.assert_array_equal(drivers[0], places.drivers[place, start : start + MONTHS])
        np.testing.assert_array_equal(static[0], places.static[place])
        for stand in range(len(STANDS)):
            before, within = windows.states(one, stand - len(STANDS), ages)
            state = simulation["state"].values[place, stand][[0, 2]]
            first = simulation["initial_state"].values[place, stand][[0, 2]] if start == 0 else state[:, start - 1]
            np.testing.assert_array_equal(before[0], first)
            np.testing.assert_array_equal(within[0], state[:, start : start + MONTHS])
        fraction = simulation["plant_fraction"].values[place]
        year = start // 12
        before, within = windows.simulated_fractions(one)
        # the first year of the simulation's fractions is the one before its record
        np.testing.assert_array_equal(before[0], fraction[:, year])
        np.testing.assert_array_equal(within[0], fraction[:, year + 1 : year + 3])
        observed = cover["plant_fraction"].values[place].astype("f4")
        before, within = windows.observed(one)
        np.testing.assert_array_equal(before[0], observed[max(year - 1, 0)])
        np.testing.assert_array_equal(within[0], observed[year : year + 2])
        np.testing.assert_array_equal(windows.weights(one)[0], places.age_weight[place])


def test_the_mixture_is_found_with_the_pure_stands_or_without(places, canonical):
    every = with_states(places, canonical)
    simulation = read_netcdf(canonical["simulation"]).sel(stand=["mixture"])
    alone = windows_of(places, simulated=simulated_states(simulation, EXCHANGE.states))
    ages = torch.arange(3)
    for a, b in zip(every.states(ALL, MIXTURE, ages), alone.states(ALL, MIXTURE, ages), strict=True):
        assert torch.equal(a, b)


def test_simulated_states_are_in_the_order_that_is_asked_for(canonical):
    simulation = read_netcdf(canonical["simulation"])
    found = simulated_states(simulation, ["nee", "height"])
    chosen = simulation.sel(target=["nee", "height"])
    np.testing.assert_array_equal(found.state, chosen["state"])
    np.testing.assert_array_equal(found.initial, chosen["initial_state"])


def test_without_a_simulation_there_is_no_state(places):
    before = windows_of(replace(places, initial=None)).before(ALL[:5])
    assert before.shape == (5, 1, 3, 0)


def test_labels_of_a_window_are_zero_and_weigh_nothing_where_missing(canonical, members):
    towers = read_netcdf(canonical["towers"])
    towers["flux_quality"].values[:] = np.random.default_rng(0).uniform(0.3, 1.0, towers["flux_quality"].shape)
    towers["flux_value"].values[2, 3, 1] = np.nan
    sites = site_places(towers, members, satellites=False, channels="none", exchange=EXCHANGE)
    labels = site_labels(towers, ["XX-S02", "XX-S05"], 0.5, EXCHANGE)
    windows = windows_of(sites, labels)
    flux, weight = windows.labels(torch.arange(20))
    for window in range(20):
        site, start = window // 2, 12 * (window % 2)
        for month in range(MONTHS):
            values = towers["flux_value"].values[site, start + month]
            quality = towers["flux_quality"].values[site, start + month]
            good = (site in (2, 5)) & np.isfinite(values) & (quality >= 0.5)
            np.testing.assert_array_equal(flux[window, month], np.where(good, values, 0.0))
            np.testing.assert_allclose(weight[window, month], np.where(good, quality, 0.0), rtol=1e-6)
    assert select(windows, members, "site", "training", labelled=True).tolist() == [4, 5, 10, 11]
    assert select(windows, members, "site", "training").tolist() == [4, 5, 10, 11, 16, 17]
    with pytest.raises(ValueError, match="no tower with the role 'validation' has a label in this fold; use fewer"):
        select(windows, members, "site", "validation", labelled=True)
    with pytest.raises(ValueError, match="no site has the role 'nobody' in this fold; use fewer folds or more sites"):
        select(windows, members, "site", "nobody")
