"""Places: what is taken of them belongs together, and what they hold is that of the files."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from dere.exchange.co2 import EXCHANGE
from dere.harmonise.drivers import stack
from dere.io import read_netcdf
from dere.training.places import Places
from dere.training.read_places import cell_places, site_labels, site_places, window_starts
from dere.variables import STANDS, TARGETS
from dere.workflow.members import read_roles

PER_PLACE = ("ids", "lat", "lon", "record", "drivers", "static", "fractions", "vegetated", "age_weight", "simulated")
SHARED = ("time", "driver_names", "attributes", "years", "ages", "window")


@pytest.fixture(scope="module")
def members(canonical):
    return read_roles(canonical["splits"], 0)


@pytest.fixture(scope="module")
def sites(canonical, members) -> Places:
    towers = read_netcdf(canonical["towers"])
    return site_places(towers, members, satellites=False, channels="none", reads=("simulated",), exchange=EXCHANGE)


def cells_of(canonical, members, reads=("simulated",), window=24, stride=12) -> Places:
    drivers, simulation, cover = (read_netcdf(canonical[name]) for name in ("drivers", "simulation", "cover"))
    return cell_places(
        drivers,
        simulation,
        cover,
        members,
        satellites=False,
        channels="none",
        window=window,
        stride=stride,
        reads=reads,
        exchange=EXCHANGE,
    )


@pytest.fixture(scope="module")
def cells(canonical, members) -> Places:
    return cells_of(canonical, members)


def assert_same(found: Places, expected: Places):
    for name in (*PER_PLACE, *SHARED, "window_place", "window_start", "initial"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)
    pd.testing.assert_frame_equal(found.classes, expected.classes)


def windows_by_id(places: Places) -> dict[tuple[str, int], np.ndarray]:
    starts = zip(places.window_place, places.window_start, places.initial, strict=True)
    return {(str(places.ids[place]), int(start)): state for place, start, state in starts}


@pytest.mark.parametrize("kind", ["sites", "cells"])
@pytest.mark.parametrize("rows", [[3], [7, 0, 4], [], [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]])
def test_taken_places_keep_all_that_is_theirs(kind, rows, request):
    places = request.getfixturevalue(kind)
    taken = places.take(np.array(rows, int))
    assert len(taken) == len(rows)
    for row, source in enumerate(rows):
        for name in PER_PLACE:
            np.testing.assert_array_equal(getattr(taken, name)[row], getattr(places, name)[source], err_msg=name)
        assert taken.classes.loc[row].to_dict() == places.classes.loc[source].to_dict()
    for name in SHARED:
        np.testing.assert_array_equal(getattr(taken, name), getattr(places, name))
    found, expected = windows_by_id(taken), windows_by_id(places)
    assert found.keys() == {key for key in expected if key[0] in taken.ids}
    assert all(np.array_equal(state, expected[key]) for key, state in found.items())


def test_windows_of_taken_places_keep_their_order(sites):
    taken = sites.take(np.array([5, 2]))
    assert taken.ids[taken.window_place].tolist() == ["XX-S02", "XX-S02", "XX-S05", "XX-S05"]
    assert taken.window_start.tolist() == [0, 12, 0, 12]


def test_what_no_method_asked_for_stays_none_when_taken(canonical, members):
    places = site_places(
        read_netcdf(canonical["towers"]), members, satellites=False, channels="none", exchange=EXCHANGE
    )
    assert places.simulated is None and places.take(np.array([1])).simulated is None


@pytest.mark.parametrize("size", [1, 5, 12, 99])
def test_blocks_together_are_the_places(size, cells):
    blocks = list(cells.blocks(size))
    assert [len(block) for block in blocks] == [min(size, 12 - first) for first in range(0, 12, size)]
    for name in PER_PLACE:
        joined = np.concatenate([getattr(block, name) for block in blocks])
        np.testing.assert_array_equal(joined, getattr(cells, name))
    windows = [window for block in blocks for window in windows_by_id(block)]
    assert windows == list(windows_by_id(cells))


def test_all_taken_are_the_same(cells):
    assert_same(cells.take(np.arange(12)), cells)


def test_sites_are_those_of_the_file(sites, canonical):
    towers = read_netcdf(canonical["towers"])
    assert sites.ids.tolist() == towers["site"].values.tolist()
    drivers, names = stack(towers, "monthly8", False)
    np.testing.assert_array_equal(sites.drivers, drivers)
    assert sites.driver_names == names
    for name, of_file in {"fractions": "plant_fraction", "vegetated": "vegetated_fraction", "static": "static"}.items():
        np.testing.assert_array_equal(getattr(sites, name), towers[of_file].values.astype("f4"))
    for name in ("record", "simulated"):
        np.testing.assert_array_equal(getattr(sites, name), towers[name])
    np.testing.assert_array_equal(sites.initial, towers["initial_state"])
    assert sites.classes["igbp"].tolist() == towers["igbp"].values.tolist()
    assert sites.classes["cluster"].tolist() == [f"s{i}" for i in range(10)]


def test_order_of_dimensions_in_the_files_does_not_matter(sites, cells, canonical, members, tmp_path):
    def turned(name):
        data = read_netcdf(canonical[name])
        return data.transpose(*reversed(list(data.dims)))

    assert_same(
        site_places(
            turned("towers"), members, satellites=False, channels="none", reads=("simulated",), exchange=EXCHANGE
        ),
        sites,
    )
    sets = (turned(name) for name in ("drivers", "simulation", "cover"))
    found = cell_places(
        *sets, members, satellites=False, channels="none", window=24, stride=12, reads=("simulated",), exchange=EXCHANGE
    )
    assert_same(found, cells)


@pytest.mark.parametrize(
    ("name", "axis"), [("simulation", "cell"), ("simulation", "age"), ("simulation", "time"), ("cover", "cell")]
)
def test_files_of_other_cells_months_or_ages_are_refused(canonical, members, name, axis):
    held = {key: read_netcdf(canonical[key]) for key in ("drivers", "simulation", "cover")}
    held[name] = held[name].isel({axis: slice(None, None, -1)})
    with pytest.raises(ValueError, match=rf"differ in {axis} "):
        cell_places(*held.values(), members, satellites=False, channels="none", window=24, stride=12, exchange=EXCHANGE)


def test_cells_have_the_states_before_their_windows_and_age_weighted_series(cells, canonical):
    simulation, cover = read_netcdf(canonical["simulation"]), read_netcdf(canonical["cover"])
    assert (
        cells.window_start.tolist() == [0, 12] * 12 and cells.window_place.tolist() == np.repeat(range(12), 2).tolist()
    )
    for window, (place, start) in enumerate(zip(cells.window_place, cells.window_start, strict=True)):
        cell = simulation.isel(cell=place)
        before = cell["initial_state"] if start == 0 else cell["state"].isel(time=start - 1)
        np.testing.assert_array_equal(cells.initial[window], before.transpose("stand", "age", "target"))
    state, weight = simulation["state"].values[:, STANDS.index("mixture")], cover["age_weight"].values
    slow = sum(weight[:, age, None, None] * state[:, age] for age in range(3))
    np.testing.assert_allclose(cells.simulated, slow, rtol=1e-5)
    assert cells.record.all() and (cells.classes["igbp"] == "").all()
    assert cells.classes["cluster"].tolist() == [f"c{i}" for i in range(12)]


def test_a_stand_that_was_not_simulated_starts_from_the_mixture(cells, canonical, members):
    drivers, simulation, cover = (read_netcdf(canonical[name]) for name in ("drivers", "simulation", "cover"))
    for name in ("state", "initial_state"):
        simulation[name][3, 1] = np.nan
    found = cell_places(
        drivers, simulation, cover, members, satellites=False, channels="none", window=24, stride=12, exchange=EXCHANGE
    ).initial
    expected = cells.initial.copy()
    rows = cells.window_place == 3
    expected[rows, 1] = expected[rows, -1]
    np.testing.assert_array_equal(found, expected)


def test_only_asked_months_of_a_lazily_opened_simulation_are_needed(cells, canonical, members):
    drivers, cover = read_netcdf(canonical["drivers"]), read_netcdf(canonical["cover"])
    with read_netcdf(canonical["simulation"], load=False) as simulation:
        found = cell_places(
            drivers,
            simulation,
            cover,
            members,
            satellites=False,
            channels="none",
            window=24,
            stride=12,
            exchange=EXCHANGE,
        )
        assert not simulation["state"].variable._in_memory
    assert found.simulated is None
    np.testing.assert_array_equal(found.initial, cells.initial)


def test_a_window_that_the_simulation_cannot_fill_is_refused(canonical, members):
    with pytest.raises(ValueError, match=r"the simulation has 36 months, harmonise\.window asks for 48; shorten"):
        cells_of(canonical, members, window=48)
    with pytest.raises(ValueError, match=r"harmonise\.window is 20 months; plant types need a multiple of 12"):
        cells_of(canonical, members, window=20)


@pytest.mark.parametrize(
    ("months", "window", "stride", "expected"),
    [(36, 24, 12, [0, 12]), (60, 24, 24, [0, 24, 36]), (60, 24, 5, [0, 12, 24, 36]), (24, 24, 12, [0])],
)
def test_windows_begin_in_january_and_the_last_ends_with_the_simulation(months, window, stride, expected):
    assert window_starts(months, window, stride) == expected


def test_years_of_windows_are_the_nearest_with_a_map(cells):
    assert cells.window_years()[:2].tolist() == [[0, 0, 1], [0, 1, 2]]
    later = replace(cells, years=cells.years + 1)
    assert later.window_years()[:2].tolist() == [[0, 0, 0], [0, 0, 1]]


def test_labels_of_other_sites_and_poor_months_are_missing(canonical):
    towers = read_netcdf(canonical["towers"])
    towers["flux_quality"][:, ::3] = 0.4
    towers["flux_quality"][:, 1] = np.nan
    towers["flux_value"][4, 7, 0] = np.nan
    labels = site_labels(towers, ["XX-S04", "XX-S05"], 0.5, EXCHANGE)
    flux = towers["flux_value"].values
    expected = np.full_like(flux, np.nan)
    for site in (4, 5):
        for month in range(flux.shape[1]):
            if month % 3 and month != 1:
                expected[site, month] = flux[site, month]
    np.testing.assert_array_equal(labels.flux, expected)
    assert np.isfinite(expected).any() and np.isfinite(labels.quality).all() and (labels.quality[:, 1] == 0).all()


def test_an_exchange_without_states_has_no_state_before_its_windows(canonical, members):
    alone = replace(EXCHANGE, name="alone", states=())
    towers = read_netcdf(canonical["towers"])
    assert site_places(towers, members, satellites=False, channels="none", exchange=alone).initial is None
    drivers, simulation, cover = (read_netcdf(canonical[name]) for name in ("drivers", "simulation", "cover"))
    found = cell_places(
        drivers, simulation, cover, members, satellites=False, channels="none", window=24, stride=12, exchange=alone
    )
    assert found.initial is None and len(TARGETS) == len(EXCHANGE.states)
