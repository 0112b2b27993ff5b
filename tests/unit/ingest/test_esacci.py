"""ESA CCI plant types: names with hyphens, bytes or floats, either order of latitude, crops by switch."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.ingest.cover.esacci import LAYERS, read_cover, read_site_plant_types

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
    np.testing.assert_allclose(cover.layer_fraction.sum("layer"), 1.0)
    total = cover.plant_fraction.sum("plant_type", skipna=False)
    np.testing.assert_allclose(total.values[np.isfinite(total.values)], 1.0, atol=1e-12)


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
    np.testing.assert_allclose(cover.layer_fraction.sum("layer"), 1.0, atol=1e-12)


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
