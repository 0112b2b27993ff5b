import numpy as np
import pytest
import xarray as xr

from dere.harmonise.statics import (
    ATTRIBUTES,
    BINARY,
    DEFAULT_SOIL_DEPTH,
    c4_share,
    derived_igbp,
    first_year_cover,
    potential_evaporation,
    static_attributes,
)
from dere.ingest.months import mid_months


def climate(members=2, temperature=10.0, rain=2.0, shortwave=150.0, **more):
    shape = (members, 24)
    values = {"air_temperature": temperature, "precipitation": rain, "shortwave": shortwave, **more}
    return xr.Dataset(
        {name: (("site", "time"), np.broadcast_to(np.asarray(v, float), shape).copy()) for name, v in values.items()},
        coords={"site": np.arange(members), "time": mid_months(2001 * 12, 24)},
    )


def attributes(dataset, igbp=("ENF", "CRO"), satellites=False, **more):
    fraction = np.tile([0.2, 0.3, 0.5], (2, 1))
    table = static_attributes(
        dataset, list(igbp), np.array([-45.0, 10.0]), fraction, np.array([0.0, 99.0]), satellites=satellites, **more
    )
    return {name: table[:, i] for i, name in enumerate(ATTRIBUTES)}


def test_classes_that_fractions_cannot_tell_apart_are_told_apart():
    seen = attributes(climate(), ("EBF", "DBF"))
    assert (seen["igbp_EBF"] != seen["igbp_DBF"]).any()
    seen = attributes(climate(), ("CRO", "WET"))
    np.testing.assert_array_equal(seen["crop"], [1, 0])
    np.testing.assert_array_equal(seen["wetland"], [0, 1])
    seen = attributes(climate(), ("SNO", "???"))
    np.testing.assert_array_equal(seen["igbp_other"], [1, 1])


def test_one_class_each():
    for pair in (("ENF", "EBF"), ("OSH", "WSA"), ("GRA", "URB"), ("CSH", "SAV"), ("MF", "CVM")):
        seen = attributes(climate(), pair)
        total = sum(values for name, values in seen.items() if name.startswith("igbp_"))
        np.testing.assert_array_equal(total, [1, 1])


def test_climate_attributes():
    season = 10 * np.sin(2 * np.pi * np.arange(24) / 12)
    seen = attributes(climate(temperature=5 + season))
    assert seen["mean_temperature"] == pytest.approx(5, abs=1e-5)
    assert seen["temperature_amplitude"] == pytest.approx(20, abs=1e-4)
    np.testing.assert_array_equal(seen["abs_latitude"], [45, 10])
    assert seen["mean_age"] == pytest.approx(np.log([1.0, 100.0]), rel=1e-5)
    assert attributes(climate(rain=0.1))["aridity"][0] < -1 < attributes(climate(rain=4.0))["aridity"][0]


def test_missing_months_do_not_bias_the_mean():
    season = 10 * np.sin(2 * np.pi * np.arange(24) / 12)
    dataset = climate(temperature=5 + season)
    dataset["air_temperature"][0, 12:18] = np.nan
    assert attributes(dataset)["mean_temperature"][0] == pytest.approx(5, abs=1e-5)


def test_elevation_from_pressure_only_where_unknown():
    dataset = climate(pressure=89.87)
    seen = attributes(dataset, elevation=np.array([np.nan, 400.0]))["elevation"]
    assert seen[0] == pytest.approx(1000, abs=10)
    assert seen[1] == 400
    assert (attributes(climate())["elevation"] == 0).all()


def test_soil_depth_has_a_default():
    assert (attributes(climate())["soil_depth"] == DEFAULT_SOIL_DEPTH).all()
    seen = attributes(climate(), soil_depth=np.array([0.4, np.nan]))["soil_depth"]
    np.testing.assert_allclose(seen, [0.4, DEFAULT_SOIL_DEPTH])


def test_satellite_attributes_carry_a_flag():
    lai = np.tile(np.arange(12.0) / 4, 2)
    dataset = climate(lai_satellite=lai, evi_satellite=np.nan)
    dataset["lai_satellite"][1] = np.nan
    seen = attributes(dataset, satellites=True)
    np.testing.assert_array_equal(seen["has_satellite"], [1, 0])
    assert seen["lai_mean"][0] == pytest.approx(11 / 8)
    assert seen["lai_amplitude"][0] == pytest.approx(11 / 4)
    assert seen["lai_mean"][1] == seen["evi_mean"][0] == 0
    assert not attributes(dataset, satellites=False)["has_satellite"].any()


def test_missing_climate_is_an_error_that_names_the_member():
    dataset = climate()
    dataset["precipitation"][1] = np.nan
    with pytest.raises(ValueError, match="'mean_precipitation' of member 1 is NaN"):
        attributes(dataset)


def test_c4_climate_is_hot_and_moist():
    temperature = np.array([np.full(12, 26.0), np.full(12, 26.0), np.full(12, 12.0)])
    rain = np.array([np.full(12, 3.0), np.full(12, 0.2), np.full(12, 3.0)])
    np.testing.assert_array_equal(c4_share(temperature, rain), [1, 0, 0])


def test_potential_evaporation_has_the_right_size():
    # FAO-56, De Bilt in July: 17 degC and about 200 W m-2 give some 3.3 mm d-1
    assert potential_evaporation(np.array(17.0), np.array(200.0)) == pytest.approx(2.9, abs=0.5)
    assert potential_evaporation(np.array(-20.0), np.array(0.0)) == 0


@pytest.mark.parametrize(
    ("fraction", "vegetated", "temperature", "rain", "expected"),
    [
        ((0.1, 0.8, 0.1), 1, 2, 2, "ENF"),
        ((0.8, 0.1, 0.1), 1, 26, 5, "EBF"),
        ((0.8, 0.1, 0.1), 1, 10, 2, "DBF"),
        ((0.4, 0.4, 0.2), 1, 8, 2, "MF"),
        ((0.3, 0.1, 0.6), 1, 20, 2, "WSA"),
        ((0.2, 0.0, 0.8), 1, 25, 2, "SAV"),
        ((0.0, 0.0, 1.0), 1, 20, 0.2, "OSH"),
        ((0.0, 0.0, 1.0), 1, 10, 2, "GRA"),
        ((0.8, 0.1, 0.1), 0.05, 10, 2, "other"),
    ],
)
def test_class_of_cells(fraction, vegetated, temperature, rain, expected):
    dataset = climate(1, temperature=temperature, rain=rain)
    assert derived_igbp(dataset, np.array([fraction]), np.array([vegetated])) == [expected]


def test_cover_of_the_first_year_in_any_order_of_the_dimensions():
    rng = np.random.default_rng(0)
    fraction, vegetated = rng.dirichlet(np.ones(3), (4, 2)), rng.random((2, 4))
    cover = xr.Dataset(
        {
            "plant_fraction": (("year", "cell", "plant_type"), fraction),
            "vegetated_fraction": (("cell", "year"), vegetated),
        }
    )
    for order in (("year", "cell", "plant_type"), ("plant_type", "cell", "year")):
        found = first_year_cover(cover.transpose(*order))
        np.testing.assert_array_equal(found[0], fraction[0])
        np.testing.assert_array_equal(found[1], vegetated[:, 0])


def test_binary_attributes_are_attributes():
    assert set(BINARY) < set(ATTRIBUTES)
    assert len(ATTRIBUTES) == len(set(ATTRIBUTES))
