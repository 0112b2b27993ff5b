import numpy as np
import pytest
import xarray as xr
from harmonise_samples import AGES, make_cover

from dere.harmonise import igbp
from dere.harmonise.cover import NO_COVER, cell_cover, check_sums, covered_towers, site_cover
from dere.harmonise.cover_lookup import map_at_points, map_at_towers, under_kept_codes
from dere.harmonise.interim import pack_cover, unpack_cover
from dere.ingest.igbp_classes import BARE, IGBP, VEGETATED
from dere.variables import PLANT_TYPES

YEARS = np.array([2000, 2001, 2002, 2003])


def test_tables_hold_shares_for_every_class():
    assert set(igbp.CLASSES) == set(IGBP)
    fractions = igbp.plant_fractions(list(igbp.CLASSES))
    np.testing.assert_allclose(fractions.sum(1), 1)
    weights = igbp.age_weights([*igbp.CLASSES, "XYZ"], (1, 5, 10, 50, 100, 200, 500))
    np.testing.assert_allclose(weights.sum(1), 1)
    assert (weights >= 0).all()
    vegetated = igbp.vegetated_fractions(VEGETATED)
    assert ((vegetated > 0) & (vegetated <= 1)).all()
    assert (igbp.vegetated_fractions(BARE) == 0).all()


def test_an_unknown_class_says_nothing_of_plants():
    assert np.isnan(igbp.plant_fractions(["", "XYZ"])).all() and np.isnan(igbp.vegetated_fractions(["XYZ"])).all()


def test_sites_of_water_have_no_vegetation_and_unknown_ones_no_cover(towers, caplog):
    """Neither takes invented shares of broadleaf, needleleaf and grass; a map at the place is taken as it is."""
    classes = towers["igbp"].values.copy()
    classes[:3] = ["WAT", "", "ENF"]
    towers = towers.assign_coords(igbp=("site", classes))
    of_sites = site_cover(towers, YEARS, AGES)
    assert of_sites["cover_source"].values[:3].tolist() == ["igbp", NO_COVER, "igbp"]
    assert (of_sites["vegetated_fraction"].values[0] == 0).all() and of_sites["vegetated_fraction"].values[2].all()
    site = str(towers["site"].values[0])
    assert f"of an IGBP class without vegetation ({site} WAT)" in caplog.text
    kept, lost = covered_towers(towers, of_sites)
    (unknown,) = lost
    assert unknown == str(towers["site"].values[1]) and "its IGBP class is unknown" in lost[unknown]
    assert kept.sizes["site"] == towers.sizes["site"] - 1 and unknown not in kept["site"].values
    assert (kept["plant_fraction"].sum("plant_type") > 0.99).all()
    with pytest.raises(ValueError, match=r"has no plant types.*this holds for all sites"):
        covered_towers(towers.isel(site=[1]), of_sites.isel(site=[1]))


def test_an_unknown_class_under_a_map_keeps_its_site(towers, forcing):
    towers = towers.assign_coords(igbp=("site", np.full(towers.sizes["site"], "", object)))
    of_sites = site_cover(towers, YEARS, AGES, grid=make_cover(forcing).grid)
    in_map = of_sites["cover_source"].values == "cell"
    assert in_map.any() and set(covered_towers(towers, of_sites)[1]) == set(towers["site"].values[~in_map])


def test_tables_say_what_the_class_definitions_say():
    fraction = dict(zip(igbp.CLASSES, igbp.plant_fractions(list(igbp.CLASSES)), strict=True))
    assert fraction["ENF"][1] > 0.6
    assert fraction["DBF"][0] > 0.6
    assert 0.3 <= fraction["WSA"][:2].sum() <= 0.6
    assert 0.1 <= fraction["SAV"][:2].sum() <= 0.3
    assert fraction["CRO"][2] > 0.9
    ages = (1, 5, 10, 50, 100, 200, 500)
    mean = dict(zip(igbp.CLASSES, igbp.age_weights(list(igbp.CLASSES), ages) @ np.array(ages), strict=True))
    assert mean["CRO"] < mean["GRA"] < mean["SAV"] < mean["ENF"] < mean["EBF"]


def test_cells_take_their_map_value_and_the_nearest_year(forcing):
    cover = make_cover(forcing)
    result = cell_cover(forcing, cover.grid, cover.grid_ages, YEARS, AGES)
    cell = 50
    own = cover.grid.sel(lat=forcing["lat"][cell], lon=forcing["lon"][cell])
    np.testing.assert_allclose(result["plant_fraction"][cell, 0], own["plant_fraction"].sel(year=2001), rtol=1e-6)
    np.testing.assert_allclose(result["plant_fraction"][cell, 3], own["plant_fraction"].sel(year=2002), rtol=1e-6)
    np.testing.assert_allclose(result["age_weight"], cover.grid_ages["age_weight"], rtol=1e-6)


def test_latitude_order_of_the_map_does_not_matter(forcing):
    cover = make_cover(forcing)
    turned = cover.grid.isel(lat=slice(None, None, -1))
    first = cell_cover(forcing, cover.grid, cover.grid_ages, YEARS, AGES)
    assert first.equals(cell_cover(forcing, turned, cover.grid_ages, YEARS, AGES))


def test_bare_land_counts_as_grass_with_no_vegetation(forcing):
    cover = make_cover(forcing)
    cover.grid["plant_fraction"].values[:] = np.nan
    cover.grid["vegetated_fraction"].values[:] = 0.0
    result = cell_cover(forcing, cover.grid, cover.grid_ages, YEARS, AGES)
    assert (result["plant_fraction"].sel(plant_type="GS") == 1).all()
    assert (result["vegetated_fraction"] == 0).all()


def test_cells_without_map_or_ages_are_an_error(forcing):
    cover = make_cover(forcing)
    with pytest.raises(ValueError, match="no maps"):
        cell_cover(forcing, None, cover.grid_ages, YEARS, AGES)
    ocean = cover.grid.copy(deep=True)
    ocean["vegetated_fraction"].values[:, 4] = np.nan
    with pytest.raises(ValueError, match="plant-type map has no land value at 36 of"):
        cell_cover(forcing, ocean, cover.grid_ages, YEARS, AGES)
    few = cover.grid_ages.isel(point=slice(0, 10))
    with pytest.raises(ValueError, match="age table has no land value"):
        cell_cover(forcing, cover.grid, few, YEARS, AGES)
    with pytest.raises(ValueError, match="3 weights, the run has 2 stand ages"):
        cell_cover(forcing, cover.grid, cover.grid_ages, YEARS, (1, 20))


def test_sites_take_their_own_table_then_the_map_then_their_class(towers, forcing):
    cover = make_cover(forcing)
    own = xr.Dataset(
        {
            "plant_fraction": (("site", "year", "plant_type"), np.array([[[0.2, 0.3, 0.5]]])),
            "vegetated_fraction": (("site", "year"), [[0.7]]),
        },
        coords={"site": ["XX-S01"], "year": [2001], "plant_type": list(PLANT_TYPES)},
    )
    own_ages = xr.Dataset(
        {"age_weight": (("site", "age"), [[0.5, 0.5, 0.0]])}, coords={"site": ["XX-S01"], "age": [1, 20, 100]}
    )
    cover.grid["vegetated_fraction"].values[:] = np.nan
    row = int(np.abs(cover.grid["lat"].values - float(towers["lat"][2])).argmin())
    column = int(np.abs(cover.grid["lon"].values - float(towers["lon"][2])).argmin())
    cover.grid["vegetated_fraction"].values[:, row, column] = 0.6
    with pytest.raises(ValueError, match="3 weights, the run has 2 stand ages; give one weight per age"):
        site_cover(towers, YEARS, (1, 20), own, own_ages)
    result = site_cover(towers, YEARS, AGES, own, own_ages, cover.grid, cover.grid_ages)
    assert list(result["cover_source"].values[:3]) == ["igbp", "own", "cell"]
    assert result["age_source"].values[1] == "own"
    np.testing.assert_allclose(result["plant_fraction"].values[1], [[0.2, 0.3, 0.5]] * 4, rtol=1e-6)
    np.testing.assert_allclose(result["age_weight"].values[1], [0.5, 0.5, 0.0])
    np.testing.assert_allclose(result["vegetated_fraction"].values[2], 0.6, rtol=1e-6)
    np.testing.assert_allclose(result["plant_fraction"].values[0, 0], igbp.plant_fractions(["ENF"])[0], rtol=1e-6)
    np.testing.assert_allclose(result["plant_fraction"].sum("plant_type"), 1, rtol=1e-5)


def test_towers_take_the_cell_of_the_finer_map(towers, forcing):
    """Ingest kept the cells of a map that it averaged: they go before the mean, a place without land there has none."""
    grid = make_cover(forcing).grid
    sites, lat, lon = towers["site"].values.astype(str), towers["lat"].values, towers["lon"].values
    fine = xr.Dataset(
        {
            "tower_plant_fraction": (("tower", "year", "plant_type"), np.full((2, 2, 3), [0.1, 0.2, 0.7])),
            "tower_vegetated_fraction": (("tower", "year"), [[0.25, 0.5], [np.nan, np.nan]]),
        },
        coords={"tower": [sites[1], sites[0]]},
    )
    fraction, vegetated, found = map_at_towers(grid.merge(fine), sites, lat, lon, YEARS)
    of_means = map_at_points(grid, lat, lon, YEARS)
    np.testing.assert_allclose(fraction[1], [[0.1, 0.2, 0.7]] * 4)
    np.testing.assert_allclose(vegetated[1], [0.25, 0.25, 0.5, 0.5])
    assert found.tolist() == [False, True, *of_means[2][2:]]
    np.testing.assert_array_equal(fraction[2:], of_means[0][2:])
    np.testing.assert_array_equal(vegetated[2:], of_means[1][2:])
    result = site_cover(towers, YEARS, AGES, grid=grid.merge(fine))
    assert list(result["cover_source"].values[:3]) == ["igbp", "cell", "cell"]
    np.testing.assert_allclose(result["plant_fraction"].values[1], [[0.1, 0.2, 0.7]] * 4, rtol=1e-6)


def test_shares_in_single_precision_stay_as_they_are():
    shares = np.random.default_rng(0).dirichlet(np.ones(3), 1000).astype(np.float32)
    assert (check_sums(shares.astype(float), "x") == shares).all()


def test_sums_off_by_more_than_the_tolerance_are_refused():
    np.testing.assert_allclose(check_sums(np.array([[0.5, 0.5004]]), "x").sum(-1), 1)
    with pytest.raises(ValueError, match=r"age_weight has sums from 1\.1"):
        check_sums(np.array([[0.5, 0.6]]), "age_weight")
    with pytest.raises(ValueError, match=r"least value -0\.1"):
        check_sums(np.array([[1.1, -0.1]]), "age_weight")


def test_cover_tables_survive_one_file(forcing, tmp_path):
    from dere.io import read_netcdf, write_netcdf

    cover = make_cover(forcing)
    back = unpack_cover(read_netcdf(write_netcdf(pack_cover(cover), tmp_path / "cover.nc")))
    xr.testing.assert_equal(back.grid, cover.grid)
    xr.testing.assert_equal(back.grid_ages, cover.grid_ages)
    assert back.sites is None


def test_own_tables_under_another_code_of_a_tower_are_the_towers():
    """A row under the code that the tower is kept under goes first."""
    towers = xr.Dataset(coords={"site": ["AA-New", "BB-New"], "other_codes": ("site", ["AA-Old AA-One", "BB-Old"])})
    table = xr.Dataset({"x": ("site", [1, 2, 3])}, coords={"site": ["AA-Old", "BB-Old", "BB-New"]})
    assert under_kept_codes(table, towers)["site"].values.tolist() == ["AA-New", "BB-Old", "BB-New"]
    assert under_kept_codes(table, towers.drop_vars("other_codes")) is table
    assert under_kept_codes(None, towers) is None
