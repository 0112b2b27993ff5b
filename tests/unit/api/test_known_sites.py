"""Which site of a run an own one is, which tower is near, and what is said of its drivers."""

import numpy as np
import xarray as xr

from dere.api.known import compared
from dere.products.own_site_table import outside_range

DEGREE_KM = 111.19


def known():
    return xr.Dataset(
        {
            "lat": ("site", [50.0, 50.0, 10.0]),
            "lon": ("site", [10.0, 11.0, 20.0]),
            "learned_months": ("site", [40, 0, 30]),
            "fold": ("site", [2, -1, 0]),
        },
        coords={"site": ["XX-A", "XV-B", "XX-C"]},
    )


def own(codes, lat, lon, **more):
    return xr.Dataset(coords={"site": codes, "lat": ("site", lat), "lon": ("site", lon), **more})


def test_a_site_is_known_by_its_code_wherever_it_lies_and_by_its_place_under_any_code():
    near = 0.9 / DEGREE_KM
    found = compared(
        own(["XX-A", "ZZ-1", "ZZ-2"], [-5.0, 50.0 + near, 50.0 + 1.2 / DEGREE_KM], [0.0, 11.0, 11.0]), known()
    )
    assert found["known_as"].to_dict() == {"XX-A": "XX-A", "ZZ-1": "XV-B", "ZZ-2": ""}
    assert found.loc["XX-A", "known_km"] > 1000 and abs(found.loc["ZZ-1", "known_km"] - 0.9) < 1e-3
    assert np.isnan(found.loc["ZZ-2", "known_km"])


def test_a_second_code_of_a_tower_is_its_too():
    found = compared(own(["ZZ-1"], [0.0], [0.0], other_codes=("site", ["ZZ-9 XX-C"])), known())
    assert found.loc["ZZ-1", "known_as"] == "XX-C"


def test_the_nearest_tower_is_one_that_models_learned_from():
    found = compared(own(["ZZ-1"], [50.0], [10.8]), known())
    assert found.loc["ZZ-1", "nearest_tower"] == "XX-A"
    assert abs(found.loc["ZZ-1", "nearest_km"] - 0.8 * DEGREE_KM * np.cos(np.radians(50))) < 0.1


def test_drivers_beyond_those_learned_from_are_named_with_months_and_size():
    sites = xr.Dataset(
        {
            "air_temperature": (("site", "time"), [[1.0, 31.0, 33.5], [2.0, 3.0, -99.0]]),
            "vpd": (("site", "time"), [[1.0, 2.0, 3.0]] * 2),
            "record": (("site", "time"), [[True, True, True], [True, True, False]]),
        },
        coords={"site": ["ZZ-1", "ZZ-2"]},
    )
    ranges = xr.Dataset(
        {"low": ("driver", [0.0, 0.5]), "high": ("driver", [30.0, 10.0])}, coords={"driver": ["air_temperature", "vpd"]}
    )
    assert outside_range(sites, ranges) == {
        "ZZ-1": ["air_temperature is above 30 degC in 2 months, by up to 3.5"],
    }
