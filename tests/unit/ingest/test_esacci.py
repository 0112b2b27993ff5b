"""ESA CCI plant types: names with hyphens, bytes or floats, either order of latitude, crops by switch."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.ingest.cover.esacci import LAYERS, read_cover, read_site_plant_types
from dere.ingest.cover.esacci_classes import fractions, land_fraction

LAT, LON = np.array([45.0, -15.0, -45.0]), np.array([-90.0, 90.0])


def percent(**amounts):
    values = np.zeros(len(LAYERS))
    for name, amount in amounts.items():
        values[LAYERS.index(name.replace("_", "-"))] = amount
    return values


FOREST = percent(TREES_BD=30, TREES_BE=10, TREES_NE=20, GRASS_NAT=10, GRASS_MAN=10, WATER=20)
OCEAN = percent(WATER=100)
DESERT = percent(BARE=95, SNOWICE=5)
MAP = np.array([[FOREST, OCEAN], [DESERT, FOREST], [OCEAN, percent(SHRUBS_NE=50, BUILT=50)]])


def write_map(folder, year=2001, kind="float", descending=True, layers=MAP, drop=(), scale=1.0):
    """Synthetic aggregated map on three latitudes and two longitudes, with a time of length 1."""
    order = slice(None) if descending else slice(None, None, -1)
    dataset = xr.Dataset(coords={"lat": LAT[order], "lon": LON, "time": [0]}, attrs={"title": "synthetic"})
    encoding = {}
    for i, name in enumerate(LAYERS):
        if name in drop:
            continue
        values = layers[order, :, i][None] * scale
        if kind == "byte":
            dataset[name] = (("time", "lat", "lon"), values.astype("u1"))
            encoding[name] = {"dtype": "u1", "_FillValue": 255}
        else:
            dataset[name] = (("time", "lat", "lon"), values.astype("f4"))
    dataset["LAND"] = (("time", "lat", "lon"), 100 - layers[order, :, LAYERS.index("WATER")][None])
    path = folder / f"ESACCI-LC-L4-PFT-Map-300m-P1Y-aggregated-{year}-v2.0.8.nc"
    dataset.to_netcdf(path, encoding=encoding)
    return path


@pytest.mark.parametrize("kind", ["byte", "float"])
@pytest.mark.parametrize("descending", [True, False])
def test_classes_and_order(tmp_path, kind, descending):
    write_map(tmp_path, 2002, kind, descending)
    write_map(tmp_path, 2001, kind, descending)
    cover = read_cover(tmp_path, include_crops=True)
    assert cover.year.values.tolist() == [2001, 2002] and cover.lat.values.tolist() == LAT.tolist()
    north_west = cover.sel(lat=45.0, lon=-90.0, year=2001)
    np.testing.assert_allclose(north_west.plant_fraction, [0.5, 0.25, 0.25])
    np.testing.assert_allclose(north_west.vegetated_fraction, 1.0)
    np.testing.assert_allclose(cover.layer_fraction.sum("layer"), 1.0, rtol=1e-6)
    total = cover.plant_fraction.sum("plant_type", skipna=False)
    np.testing.assert_allclose(total.values[np.isfinite(total.values)], 1.0, rtol=1e-6)


def test_crops_by_switch(tmp_path):
    write_map(tmp_path)
    place = read_cover(tmp_path, include_crops=False).sel(lat=45.0, lon=-90.0, year=2001)
    np.testing.assert_allclose(place.plant_fraction, [40 / 70, 20 / 70, 10 / 70])
    np.testing.assert_allclose(place.vegetated_fraction, 70 / 80)


def test_no_vegetation_is_not_renormalised(tmp_path):
    """SNOWICE, WATER, BARE and BUILT are no plants: deserts have fraction 0, oceans have no land at all."""
    write_map(tmp_path)
    cover = read_cover(tmp_path, include_crops=True).isel(year=0)
    desert, ocean, town = cover.isel(lat=1, lon=0), cover.isel(lat=0, lon=1), cover.isel(lat=2, lon=1)
    assert desert.vegetated_fraction == 0 and np.isnan(desert.plant_fraction).all()
    assert np.isnan(ocean.vegetated_fraction) and np.isnan(ocean.plant_fraction).all()
    assert town.vegetated_fraction == 0.5 and town.plant_fraction.sel(plant_type="GS") == 1


def test_rounding_is_accepted_and_made_exact(tmp_path):
    write_map(tmp_path, layers=MAP * 1.01)
    cover = read_cover(tmp_path, include_crops=True)
    np.testing.assert_allclose(cover.layer_fraction.sum("layer"), 1.0, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": 0.01}, "sum to 1 to 1, but 100 within 2.*convert shares to percent"),
        ({"layers": MAP * 0.9}, "sum to 90 to 90.*check that all 14"),
        ({"drop": ("TREES-BD", "WATER")}, "no layer TREES-BD, WATER"),
        ({"layers": np.where(MAP == 95, np.nan, MAP)}, "1 places have a missing or negative layer"),
    ],
)
def test_bad_maps(tmp_path, options, message):
    write_map(tmp_path, **options)
    with pytest.raises(ValueError, match=rf"aggregated-2001-v2\.0\.8\.nc.*{message}"):
        read_cover(tmp_path, include_crops=True)


def test_truncated_map(tmp_path):
    path = write_map(tmp_path)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(ValueError, match="truncated or of another format"):
        read_cover(tmp_path, include_crops=True)


def test_empty_folder_missing_folder_and_second_map(tmp_path):
    with pytest.raises(ValueError, match="holds no file named ESACCI"):
        read_cover(tmp_path, include_crops=True)
    with pytest.raises(FileNotFoundError, match="is no folder"):
        read_cover(tmp_path / "absent", include_crops=True)
    path = write_map(tmp_path)
    path.with_name(path.name.replace("v2.0.8", "v2.0.81")).write_bytes(path.read_bytes())
    with pytest.raises(ValueError, match="second map of 2001"):
        read_cover(tmp_path, include_crops=True)


def test_land_is_what_is_not_water(tmp_path):
    write_map(tmp_path, layers=MAP * 1.01)
    cover = read_cover(tmp_path, include_crops=True)
    np.testing.assert_allclose(cover.land_fraction, [[[0.8, 0], [1, 0.8], [0, 1]]], atol=1e-6)
    assert {variable.dtype for variable in cover.data_vars.values()} == {np.dtype(np.float32)}


def axes(size, north=90.0, west=-180.0, rows=None, columns=None):
    """Cell centres of a regular grid, from north to south and from west to east; of the globe by default."""
    rows, columns = rows or round(180 / size), columns or round(360 / size)
    return north - size * (np.arange(rows) + 0.5), west + size * (np.arange(columns) + 0.5)


def write_grid(folder, lat, lon, year=2001, seed=0, **encoding):
    """Random map on any grid, whose first cells are ocean and unknown; its layers miss 100 by up to 1."""
    rng = np.random.default_rng(seed)
    layers = rng.dirichlet(np.full(len(LAYERS), 0.4), (len(lat), len(lon)))
    layers[:3, :4] = OCEAN / 100
    layers *= rng.uniform(99, 101, layers.shape[:2])[..., None]
    layers[0, 0] = layers[-1] = np.nan
    layers = layers.astype(np.float32)
    data = {name: (("lat", "lon"), layers[..., i]) for i, name in enumerate(LAYERS)}
    path = folder / f"ESACCI-LC-L4-PFT-Map-300m-P1Y-aggregated-{year}-v2.0.8.nc"
    xr.Dataset(data, coords={"lat": lat, "lon": lon}).to_netcdf(path, encoding=dict.fromkeys(LAYERS, encoding))
    return layers.astype(float) * (100 / layers.astype(float).sum(-1, keepdims=True))


@pytest.mark.parametrize("turned", [False, True])
def test_finer_maps_become_means_of_their_layers(tmp_path, turned):
    """Compared with a loop over the cells; towers keep the cell of the map as it was."""
    lat, lon = axes(5.0, north=60.0, west=-30.0, rows=12, columns=18)
    step = -1 if turned else 1
    layers = {2001 + i: write_grid(tmp_path, lat[::step], lon[::step], 2001 + i, seed=i) for i in range(2)}
    layers = {year: values[::step, ::step] for year, values in layers.items()}
    places = {"AA-Syn": (31.0, 12.0), "BB-Syn": (59.0, -29.0), "CC-Syn": (-60.0, 0.0), "DD-Syn": (np.nan, 0.0)}
    table = pd.DataFrame([(site, *place) for site, place in places.items()], columns=["SITE_ID", "lat", "lon"])
    cover = read_cover(tmp_path, True, degrees=15.0, towers=table)
    assert cover.lat.values.tolist() == [52.5, 37.5, 22.5, 7.5] and cover.lon.values.tolist()[0] == -22.5
    area = np.cos(np.radians(lat))
    for year, values in layers.items():
        for row in range(4):
            for column in range(6):
                part = values[3 * row : 3 * row + 3, 3 * column : 3 * column + 3]
                weight = area[3 * row : 3 * row + 3, None] * np.isfinite(part[..., 0])
                mean = np.nansum(part * weight[..., None], (0, 1)) / weight.sum()
                share, vegetated = fractions(mean, True)
                own = cover.sel(year=year).isel(lat=row, lon=column)
                np.testing.assert_allclose(own.plant_fraction, share, rtol=1e-5)
                np.testing.assert_allclose(own.vegetated_fraction, vegetated, rtol=1e-5)
                np.testing.assert_allclose(own.land_fraction, land_fraction(mean), rtol=1e-5)
    assert cover.tower.values.tolist() == list(places)
    for year, values in layers.items():
        # 31 N lies in the sixth row from 60 N, 12 E in the ninth column from 30 W
        share, vegetated = fractions(values[5, 8], True)
        np.testing.assert_allclose(cover.tower_plant_fraction.sel(tower="AA-Syn", year=year), share, rtol=1e-6)
        np.testing.assert_allclose(cover.tower_vegetated_fraction.sel(tower="AA-Syn", year=year), vegetated, rtol=1e-6)
    assert np.isnan(cover.tower_vegetated_fraction.sel(tower=["BB-Syn", "CC-Syn", "DD-Syn"])).all()


def test_only_what_is_wanted_stays_of_a_finer_map(tmp_path):
    write_grid(tmp_path, *axes(10.0))
    cover = read_cover(tmp_path, True, degrees=30.0)
    assert cover.sizes["lat"] == 6 and "tower_plant_fraction" not in cover


@pytest.mark.parametrize(
    ("degrees", "grid"),
    [
        (10.0, axes(10.0)),
        (5.0, axes(10.0)),
        (25.0, axes(10.0)),
        (30.0, axes(10.0, north=80.0, rows=15)),
        (20.0, axes(10.0, north=85.0, rows=16)),
        (20.0, (axes(10.0)[0], axes(20.0)[1])),
        (20.0, (axes(10.0)[0], axes(10.0)[1] ** 3 / 180**2)),
    ],
    ids=["same", "coarser", "no multiple", "cut region", "shifted", "oblong", "irregular"],
)
def test_maps_whose_cells_fill_no_cells_stay_as_they_are(tmp_path, degrees, grid):
    write_grid(tmp_path, *grid)
    towers = pd.DataFrame({"SITE_ID": ["AA-Syn"], "lat": [45.0], "lon": [45.0]})
    cover = read_cover(tmp_path, True, degrees=degrees, towers=towers)
    assert cover.identical(read_cover(tmp_path, True))


def test_means_join_maps_that_have_the_grid_already(tmp_path):
    """Towers keep each year's own map; grids that differ after that are refused."""
    fine = write_grid(tmp_path, *axes(10.0), year=2001)
    coarse = write_grid(tmp_path, *axes(30.0), year=2002)
    towers = pd.DataFrame({"SITE_ID": ["AA-Syn"], "lat": [12.0], "lon": [95.0]})
    cover = read_cover(tmp_path, True, degrees=30.0, towers=towers)
    assert cover.sizes["lat"] == 6 and cover.year.values.tolist() == [2001, 2002]
    np.testing.assert_allclose(cover.tower_plant_fraction[0, 0], fractions(fine[7, 27], True)[0], rtol=1e-6)
    np.testing.assert_allclose(cover.tower_plant_fraction[0, 1], fractions(coarse[2, 9], True)[0], rtol=1e-6)
    with pytest.raises(ValueError, match=r"aggregated-2002-v2\.0\.8\.nc has another grid than the first map"):
        read_cover(tmp_path, True)


def test_memory_is_that_of_one_year_in_single_precision(tmp_path):
    """Fourteen layers of 360 x 720 cells are 14.5 MB; before, three years took 0.29 GB and each further one more."""
    lat, lon = axes(0.5)
    for year in (2001, 2002, 2003):
        write_grid(tmp_path, lat, lon, year, seed=year)
    peaks = []
    for degrees in (3.0, None):
        tracemalloc.start()
        cover = read_cover(tmp_path, True, degrees=degrees)
        peaks.append(tracemalloc.get_traced_memory()[1] / 1e6)
        tracemalloc.stop()
        assert cover.nbytes / 1e6 < (1 if degrees else 32)
    assert peaks[0] < 40 and peaks[1] < 90, peaks


def test_maps_that_do_not_fit_the_memory_are_refused(tmp_path):
    for year in (2001, 2002):
        write_grid(tmp_path, *axes(5.0), year)
    read_cover(tmp_path, True, memory=1_000_000)
    message = (
        r"aggregated-2001-v2\.0\.8\.nc has 36 x 72 cells and 2 years are wanted, which take 0\.8 MB where 0\.5 MB are "
        r"allowed; aggregate the maps .* or raise mem_mb of ingest_cover and harmonise"
    )
    with pytest.raises(ValueError, match=message):
        read_cover(tmp_path, True, memory=500_000)
    read_cover(tmp_path, True, memory=500_000, degrees=30.0)


def site_table():
    rows = [("BB-Syn", 2002, FOREST), ("AA-Syn", 2001, DESERT), ("BB-Syn", 2001, DESERT), ("AA-Syn", 2002, FOREST)]
    table = pd.DataFrame([values for *_, values in rows], columns=LAYERS)
    table["SITE_ID"], table["year"] = [r[0] for r in rows], [r[1] for r in rows]
    return table


def test_site_table(tmp_path):
    path = tmp_path / "site_plant_types.csv"
    site_table().to_csv(path, index=False)
    cover = read_site_plant_types(path, include_crops=True)
    assert cover.site.values.tolist() == ["AA-Syn", "BB-Syn"] and cover.plant_fraction.dims == (
        "site",
        "year",
        "plant_type",
    )
    np.testing.assert_allclose(cover.plant_fraction.sel(site="BB-Syn", year=2002), [0.5, 0.25, 0.25])
    assert cover.vegetated_fraction.values.tolist() == [[0.0, 1.0], [0.0, 1.0]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: pd.concat([t, t.iloc[:1]]), "site BB-Syn in 2002 more than once"),
        (lambda t: t.iloc[1:], "no row of site BB-Syn in 2002"),
        (lambda t: t.drop(columns="BARE"), "no column BARE"),
    ],
)
def test_bad_site_tables(tmp_path, change, message):
    path = tmp_path / "site_plant_types.csv"
    change(site_table()).to_csv(path, index=False)
    with pytest.raises(ValueError, match=rf"site_plant_types\.csv.*{message}"):
        read_site_plant_types(path, include_crops=True)
