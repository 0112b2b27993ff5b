"""Plant-type maps on another grid than the run's."""

import numpy as np
import pytest
import xarray as xr
from harmonise_samples import make_cover

from dere.config.harmonise import HarmoniseConfig
from dere.config.simulation import SimulationSource
from dere.config.splits import SplitsConfig
from dere.harmonise.build import harmonise
from dere.harmonise.cover_grid import maps_on_grid, run_grid, same_cells
from dere.harmonise.interim import Cover, Interim
from dere.ingest.cover.esacci_classes import LAYERS, fractions, land_fraction
from dere.variables import PLANT_TYPES


def make_maps(degrees, seed=0, ocean=0.2):
    generator = np.random.default_rng(seed)
    lat, lon = run_grid(degrees)
    shape = (2, len(lat), len(lon))
    fraction = generator.dirichlet(np.ones(3), shape)
    vegetated = generator.uniform(0, 1, shape)
    vegetated[:, generator.random(shape[1:]) < ocean] = np.nan
    fraction[np.isnan(vegetated)] = np.nan
    return xr.Dataset(
        {
            "plant_fraction": (("year", "lat", "lon", "plant_type"), fraction),
            "vegetated_fraction": (("year", "lat", "lon"), vegetated),
            "layer": (("year", "lat", "lon", "cover_layer"), np.stack([vegetated, 1 - vegetated], -1)),
            "comment": ("cover_layer", [1.0, 2.0]),
        },
        coords={"year": [2001, 2002], "lat": lat, "lon": lon, "plant_type": list(PLANT_TYPES)},
    )


def maps_of_layers(layers, degrees, renormalise=True):
    """Maps as ingest makes them of percent (year, lat, lon, layer)."""
    lat, lon = run_grid(degrees)
    where = ("year", "lat", "lon")
    share, vegetated = fractions(layers, True, renormalise=renormalise)
    about = {} if renormalise else {"renormalised": "no"}
    return xr.Dataset(
        {
            "plant_fraction": ((*where, "plant_type"), share, about),
            "vegetated_fraction": (where, vegetated),
            "land_fraction": (where, land_fraction(layers)),
            "layer_fraction": (("lat", "lon", "layer"), layers.mean(0) / 100),
        },
        coords={"year": [2001, 2002], "lat": lat, "lon": lon, "plant_type": list(PLANT_TYPES), "layer": list(LAYERS)},
    )


def make_layers(degrees):
    """Percent with cells of pure water, without plants, and with any share of water between."""
    generator = np.random.default_rng(4)
    lat, lon = run_grid(degrees)
    layers = generator.dirichlet(np.full(len(LAYERS), 0.3), (2, len(lat), len(lon))) * 100
    layers[:, generator.random((len(lat), len(lon))) < 0.3] = 100 * np.eye(len(LAYERS))[LAYERS.index("WATER")]
    layers[1, generator.random((len(lat), len(lon))) < 0.1] = 100 * np.eye(len(LAYERS))[LAYERS.index("BARE")]
    return layers


@pytest.mark.parametrize("renormalise", [True, False])
def test_shares_are_those_of_the_mean_of_the_layers(renormalise):
    """A map cell weighs by its land: the way over plant fractions ends where averaging the fourteen layers ends."""
    layers = make_layers(5.0)
    area = np.cos(np.radians(run_grid(5.0)[0]))[None, :, None, None] * np.ones_like(layers)
    cells = (2, 18, 2, 36, 2, len(LAYERS))
    mean = (layers * area).reshape(cells).sum((2, 4)) / area.reshape(cells).sum((2, 4))
    expected = maps_of_layers(mean, 10.0, renormalise)
    result = maps_on_grid(maps_of_layers(layers, 5.0, renormalise), 10.0, "conservative")
    assert float(expected["land_fraction"].min()) == pytest.approx(0), "some cell must be pure water"
    # a sum of land that is zero but for rounding
    dry = expected["land_fraction"] > 1e-9
    for name in expected.data_vars:
        where = True if name in ("layer_fraction", "land_fraction") else dry
        xr.testing.assert_allclose(result[name].where(where), expected[name].where(where), rtol=1e-7, atol=1e-9)
    assert result["vegetated_fraction"].where(~dry).isnull().all()


def test_a_shore_counts_little():
    """Half the cells are 90 % water and 10 % trees, half are 50 % grass and 50 % bare (a case by hand)."""
    shore, steppe = np.zeros(len(LAYERS)), np.zeros(len(LAYERS))
    shore[[LAYERS.index("WATER"), LAYERS.index("TREES-BD")]] = 90, 10
    steppe[[LAYERS.index("GRASS-NAT"), LAYERS.index("BARE")]] = 50, 50
    layers = np.broadcast_to(np.tile([shore, steppe], (36, 1)), (2, 36, 72, len(LAYERS)))
    result = maps_on_grid(maps_of_layers(layers, 5.0), 10.0, "conservative")
    np.testing.assert_allclose(result["plant_fraction"][0, 5, 7], [10 / 60, 0, 50 / 60], rtol=1e-9)
    np.testing.assert_allclose(result["vegetated_fraction"][0, 5, 7], 60 / 110, rtol=1e-9)
    np.testing.assert_allclose(result["land_fraction"], 0.55, rtol=1e-9)


def test_further_shares_without_a_year_count_by_the_mean_land():
    maps = maps_of_layers(make_layers(5.0), 5.0)
    maps["slope"] = maps["vegetated_fraction"].mean("year", skipna=False)
    land = maps["land_fraction"].mean("year")
    result = maps_on_grid(maps, 10.0, "conservative")
    part = {"lat": slice(4, 6), "lon": slice(10, 12)}
    weight = (land * np.cos(np.radians(maps["lat"]))).where(maps["slope"].notnull()).isel(part)
    expected = (maps["slope"].isel(part) * weight).sum() / weight.sum()
    np.testing.assert_allclose(result["slope"][2, 5], expected, rtol=1e-9)


def test_precision_and_cells_of_towers_stay():
    maps = maps_of_layers(make_layers(5.0), 5.0).astype(np.float32)
    maps["tower_plant_fraction"] = (("tower", "year", "plant_type"), np.ones((1, 2, 3), np.float32))
    maps = maps.assign_coords(tower=["XX-Syn"])
    result = maps_on_grid(maps, 10.0, "conservative")
    assert {variable.dtype for variable in result.data_vars.values()} == {np.dtype(np.float32)}
    assert result["tower_plant_fraction"].identical(maps["tower_plant_fraction"])


def test_the_same_grid_is_left_as_it_is():
    maps = make_maps(10.0)
    for same in (maps, maps.isel(lat=slice(None, None, -1)), maps.isel(lat=slice(3, 9), lon=slice(0, 4))):
        assert maps_on_grid(same, 10.0, "refuse") is same
    turned = maps.assign_coords(lon=maps["lon"] % 360)
    assert maps_on_grid(turned, 10.0, "refuse") is turned
    assert maps_on_grid(maps, 0.0, "refuse") is maps


def test_other_grids_are_told_apart():
    lat, lon = run_grid(10.0)
    assert not same_cells(lat + 5, lon, 10.0)
    assert not same_cells(lat, lon, 5.0)
    assert not same_cells(*run_grid(12.0), 10.0)
    assert same_cells(lat[:1], lon, 10.0)


def test_fractions_are_means_over_the_vegetated_area():
    maps = make_maps(5.0)
    result = maps_on_grid(maps, 10.0, "conservative")
    np.testing.assert_array_equal(result["lat"], run_grid(10.0)[0])
    for row, column in ((0, 0), (7, 20), (17, 35)):
        rows, columns = slice(2 * row, 2 * row + 2), slice(2 * column, 2 * column + 2)
        part = maps.isel(year=1, lat=rows, lon=columns)
        edges = np.sin(np.radians(np.stack([part["lat"] - 2.5, part["lat"] + 2.5])))
        area = np.repeat((edges[1] - edges[0])[:, None], 2, 1)
        share = part["vegetated_fraction"].values
        land = np.isfinite(share)
        expected = np.nansum(area * share) / area[land].sum()
        np.testing.assert_allclose(result["vegetated_fraction"][1, row, column], expected, rtol=1e-9)
        weight = np.nan_to_num(area * share)[..., None]
        fraction = np.nansum(weight * part["plant_fraction"].values, (0, 1)) / weight.sum()
        np.testing.assert_allclose(result["plant_fraction"][1, row, column], fraction, rtol=1e-9)
    known = result["plant_fraction"].notnull().all("plant_type")
    np.testing.assert_allclose(result["plant_fraction"].sum("plant_type").where(known, 1.0), 1.0)
    np.testing.assert_allclose(result["layer"].sum("cover_layer").where(known, 1.0), 1.0)
    assert result["comment"].identical(maps["comment"])


def test_order_and_origin_of_the_map_do_not_matter():
    maps = make_maps(4.0)
    turned = maps.isel(lat=slice(None, None, -1)).assign_coords(lon=maps["lon"] % 360)
    first, second = (maps_on_grid(m, 10.0, "conservative") for m in (maps, turned))
    np.testing.assert_allclose(first["plant_fraction"], second["plant_fraction"], rtol=1e-9)
    np.testing.assert_allclose(first["vegetated_fraction"], second["vegetated_fraction"], rtol=1e-9)


def test_land_without_vegetation_and_sea_stay_apart():
    maps = make_maps(5.0)
    maps["vegetated_fraction"][:, :2] = 0.0
    maps["vegetated_fraction"][:, 2:4] = np.nan
    maps["plant_fraction"][:, :4] = np.nan
    result = maps_on_grid(maps, 10.0, "conservative")
    assert (result["vegetated_fraction"][:, 0] == 0).all()
    assert np.isnan(result["vegetated_fraction"][:, 1]).all()


def test_other_grids_can_be_refused():
    with pytest.raises(ValueError, match=r"maps have 36 x 72 cells.*run a grid of 10 degrees.*harmonise\.regrid"):
        maps_on_grid(make_maps(5.0), 10.0, "refuse")


def test_harmonise_regrids_finer_maps(interim):
    config = HarmoniseConfig(window=24, window_stride=12)
    ages = make_cover(interim.forcing).grid_ages
    fine = Interim(interim.towers, Cover(make_maps(5.0, ocean=0), ages), interim.forcing, interim.simulation)
    result = harmonise(fine, SimulationSource(), config, SplitsConfig(folds=3, block_degrees=20))
    expected = maps_on_grid(make_maps(5.0, ocean=0), 10.0, "conservative")
    cell = interim.forcing.isel(cell=77)
    place = expected.sel(lat=float(cell["lat"]), lon=float(cell["lon"]), year=2002)
    own = result.cover.isel(cell=77).sel(year=2003)
    np.testing.assert_allclose(own["plant_fraction"], place["plant_fraction"], rtol=1e-5)
    np.testing.assert_allclose(own["vegetated_fraction"], place["vegetated_fraction"], rtol=1e-5)
    refusing = config.model_copy(update={"regrid": "refuse"})
    with pytest.raises(ValueError, match=r"set harmonise\.regrid"):
        harmonise(fine, SimulationSource(), refusing, SplitsConfig(folds=3, block_degrees=20))
