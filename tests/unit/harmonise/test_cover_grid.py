"""Plant-type maps on another grid than the run's."""

import numpy as np
import pytest
import xarray as xr
from harmonise_samples import make_cover

from dere.config.sources import HarmoniseConfig, SimulationSource, SplitsConfig
from dere.harmonise.build import harmonise
from dere.harmonise.cover_grid import maps_on_grid, run_grid, same_cells
from dere.harmonise.interim import Cover, Interim
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
