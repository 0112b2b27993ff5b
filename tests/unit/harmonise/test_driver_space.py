"""The extrapolation index: what a distance in the space of drivers means among towers that models learned from."""

import numpy as np
import pytest
from harmonise_samples import make_towers

from dere.harmonise.driver_space import (
    MOST_MONTHS,
    driver_ranges,
    extrapolation_index,
    features,
    learned_space,
    nearest,
    thinned,
)


@pytest.fixture(scope="module")
def towers():
    found = make_towers(sites=8)
    return found.assign_attrs(driver_set="monthly8")


@pytest.fixture(scope="module")
def space(towers):
    learned = np.ones((8, towers.sizes["time"]), bool)
    return learned_space(towers, learned, np.array([f"c{number // 2}" for number in range(8)]))


def test_the_distance_is_that_to_the_nearest_month_per_root_of_the_features():
    months = np.array([[0.0, 0.0], [3.0, 0.0]])
    points = np.array([[0.0, 2.0], [4.0, 0.0]])
    np.testing.assert_allclose(nearest(points, months), [2 / np.sqrt(2), 1 / np.sqrt(2)])
    apart = np.array([[False, True], [True, False]])
    np.testing.assert_allclose(nearest(points, months, apart), [np.sqrt(13 / 2), 4 / np.sqrt(2)])


def test_a_month_learned_from_has_index_0_and_one_beyond_all_has_1(towers, space):
    index = extrapolation_index(towers, space)
    assert index.shape == (8, towers.sizes["time"]) and (index < 0.02).all()
    hot = towers.assign(air_temperature=towers["air_temperature"] + 60.0)
    assert (extrapolation_index(hot, space) == 1).all()


def test_the_index_is_the_share_of_months_nearer_to_other_clusters(towers, space):
    # a ninth tower like the others, of a cluster of its own
    other = make_towers(sites=12, seed=3).isel(site=[9]).assign_attrs(towers.attrs)
    values, _ = features(towers)
    points = values.reshape(-1, values.shape[-1])
    standard = (points - points.mean(0)) / points.std(0)
    cluster = np.repeat(np.arange(8) // 2, towers.sizes["time"])
    usual = nearest(standard, standard, cluster[:, None] != cluster)
    own = (features(other)[0][0] - points.mean(0)) / points.std(0)
    share = (usual[None] < nearest(own, standard)[:, None]).mean(1)
    np.testing.assert_allclose(extrapolation_index(other, space)[0], share, atol=0.02)
    assert 0.1 < share.mean() < 0.9


def test_a_site_that_no_satellite_saw_is_told_by_its_weather(towers):
    seen = towers.assign(
        {name: towers["vpd"] * 0.1 for name in ("lai_satellite", "evi_satellite")}
        | {f"{name}_mask": towers["in_record"].astype("int8") for name in ("lai_satellite", "evi_satellite")}
    ).assign_attrs(towers.attrs)
    made = learned_space(seen, np.ones((8, seen.sizes["time"]), bool), np.arange(8).astype(str))
    assert list(made["feature"].values[-2:]) == ["lai_satellite", "evi_satellite"]
    blind = seen.assign(
        lai_satellite_mask=seen["lai_satellite_mask"] * 0, evi_satellite_mask=seen["evi_satellite_mask"] * 0
    )
    assert np.isfinite(extrapolation_index(blind, made)).all()


def test_ranges_are_of_the_months_learned_from_alone(towers):
    months = np.zeros((8, towers.sizes["time"]), bool)
    months[2, :12] = True
    found = driver_ranges(towers, months)
    values = towers["air_temperature"].values[2, :12]
    assert float(found["low"].sel(driver="air_temperature")) == values.min()
    assert float(found["high"].sel(driver="air_temperature")) == values.max()


def test_many_months_are_thinned_evenly():
    assert len(thinned(100_000, MOST_MONTHS)) == MOST_MONTHS
    np.testing.assert_array_equal(thinned(5, MOST_MONTHS), np.arange(5))
