"""Maps of plant types and stand ages by what they say of themselves: year, rows, columns, order of the classes."""

import numpy as np
import pytest
import xarray as xr

from dere.ingest.cover.esacci import read_cover
from dere.ingest.cover.esacci_classes import LAYERS
from dere.ingest.cover.fine_map import open_fine_map
from dere.ingest.cover.forest_age import read_gfad
from dere.world.geography import is_land
from forest_age_maps import gfad, write_gfad
from plant_type_maps import write_fine_map

DEGREES = 5.0
LAT, LON = 90 - DEGREES * (np.arange(36) + 0.5), -180 + DEGREES * (np.arange(72) + 0.5)
AGGREGATED = "ESACCI-LC-L4-PFT-Map-300m-P1Y-aggregated-{}-v2.0.8.nc"
UNITS = "days since 1970-01-01"


def real_land():
    lat, lon = (axis.ravel() for axis in np.meshgrid(LAT, LON, indexing="ij"))
    return is_land(lat, lon).reshape(36, 72)


def write_global(folder, year=2001, edit=lambda dataset: dataset):
    """Synthetic map whose land, all natural grass, is the real one."""
    land = 100.0 * real_land()
    layers = {name: np.zeros((1, 36, 72)) for name in LAYERS}
    layers["GRASS-NAT"], layers["WATER"] = land[None], 100 - land[None]
    start = (np.datetime64(f"{year}-01-01") - np.datetime64("1970-01-01")).astype(int)
    dataset = xr.Dataset(
        {name: (("time", "lat", "lon"), values.astype("f4")) for name, values in layers.items()},
        coords={"time": ("time", [float(start)], {"units": UNITS}), "lat": LAT, "lon": LON},
        attrs={"title": "synthetic"},
    )
    path = folder / AGGREGATED.format(year)
    edit(dataset).to_netcdf(path)
    return path


def turned(*axes):
    """Turn the values and leave the coordinates."""
    return lambda d: d.map(lambda v: v.copy(data=np.flip(v.values, [v.dims.index(axis) for axis in axes])))


def bounded(d):
    time = d["time"].assign_attrs(bounds="time_bounds")
    return d.assign_coords(time=time + 365).assign(
        time_bounds=(("time", "bounds"), np.stack([time.values, time.values + 365], 1))
    )


@pytest.mark.parametrize(
    "edit",
    [
        lambda d: d,
        lambda d: d.isel(lat=slice(None, None, -1), lon=np.roll(np.arange(72), 36)),
        lambda d: d.assign_coords(time=d["time"] + 180).assign_attrs(time_coverage_start="20010101"),
        lambda d: d.isel(time=0, drop=True),
        bounded,
    ],
)
def test_order_of_the_rows_does_not_matter(tmp_path, edit):
    write_global(tmp_path, edit=edit)
    cover = read_cover(tmp_path, include_crops=False)
    np.testing.assert_array_equal(cover["vegetated_fraction"].isel(year=0).values > 0, real_land())


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (turned("lat"), "row 0 in the south, column 0 at longitude -180;"),
        (turned("lon"), "row 0 in the north, column 0 at longitude -180 and columns from east to west"),
        (lambda d: d.assign_coords(lat=LAT[::-1]), "row 0 in the south"),
        (
            lambda d: d.map(lambda v: v.copy(data=np.roll(v.values, 36, -1))),
            "row 0 in the north, column 0 at longitude 0;",
        ),
    ],
)
def test_land_that_lies_the_other_way(tmp_path, edit, words):
    write_global(tmp_path, edit=edit)
    with pytest.raises(
        ValueError, match=rf"aggregated-2001.*% of its land cells lie on real land, but 100% do with {words}"
    ):
        read_cover(tmp_path, include_crops=False)


def test_a_renamed_map(tmp_path):
    write_global(tmp_path).rename(tmp_path / AGGREGATED.format(2010))
    with pytest.raises(ValueError, match="is named as the map of 2010, but states the year 2001 inside"):
        read_cover(tmp_path, include_crops=False)
    write_global(tmp_path, 2010, lambda d: d.isel(time=0, drop=True).assign_attrs(time_coverage_start="20090101"))
    with pytest.raises(ValueError, match="map of 2010, but states the year 2009"):
        read_cover(tmp_path, include_crops=False)


def test_a_renamed_300_m_map(tmp_path):
    path = write_fine_map(tmp_path, 2001)
    with open_fine_map(path) as fine:
        assert len(fine.lat) == 360
    with (
        pytest.raises(ValueError, match="map of 2004, but states the year 2001"),
        open_fine_map(path.rename(tmp_path / path.name.replace("2001", "2004"))),
    ):
        pass


def test_gfad_by_its_coordinates(tmp_path):
    numbered = gfad().assign_coords(Class=np.arange(1, 16), PFT=np.arange(1, 5))
    expected = read_gfad(write_gfad(tmp_path), (1, 50, 200), 0.5)
    xr.testing.assert_identical(read_gfad(write_gfad(tmp_path, numbered), (1, 50, 200), 0.5), expected)
    south = numbered.isel(lat=slice(None, None, -1))
    xr.testing.assert_identical(read_gfad(write_gfad(tmp_path, south), (1, 50, 200), 0.5), expected)
    with pytest.raises(ValueError, match=r"Class runs \[15, 14"):
        read_gfad(write_gfad(tmp_path, numbered.isel(Class=slice(None, None, -1))), (1, 50, 200), 0.5)


def test_forest_that_lies_the_other_way(tmp_path):
    age = np.zeros((15, 4, 36, 72), "f4")
    age[3, 0] = real_land()
    coords = {"lat": LAT, "lon": LON}
    dataset = xr.Dataset({"age": (("Class", "PFT", "lat", "lon"), age)}, coords, {"title": "synthetic"})
    assert read_gfad(write_gfad(tmp_path, dataset), (1, 50, 200), DEGREES).sizes["lat"] == 36
    with pytest.raises(ValueError, match=r"GFAD_V1-1\.nc: .*row 0 in the south"):
        read_gfad(write_gfad(tmp_path, turned("lat")(dataset)), (1, 50, 200), DEGREES)
