"""Fields of one's own: what is read of a block, and one sentence for what is wrong."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.harmonise.fields import NEEDED, read_fields
from dere.ingest.grid import cell_coordinates
from dere.variables import VARIABLES

USUAL = dict(zip(NEEDED, (10.0, 2.0, 150.0, 320.0, 5.0, 97.0, 3.0), strict=True))
TIME = pd.date_range("2005-01-01", periods=12, freq="MS") + pd.Timedelta(days=14)


def made(lat=(45.0, 47.0), lon=(359.0, 1.0, 3.0), time=TIME):
    """Two rows and three columns of a grid of two degrees, across Greenwich."""
    shape = (len(time), len(lat), len(lon))
    dims = ("time", "lat", "lon")
    data = {name: (dims, np.full(shape, value), {"units": VARIABLES[name].unit}) for name, value in USUAL.items()}
    return xr.Dataset(data, coords={"time": time, "lat": list(lat), "lon": list(lon)})


def read(dataset, tmp_path, name="fields.nc"):
    dataset.to_netcdf(tmp_path / name)
    return read_fields([tmp_path / name])


def test_a_block_has_canonical_units_cells_by_number_and_missing_values_for_marks(tmp_path):
    fields = made()
    fields["air_temperature"] = fields["air_temperature"] + 273.15
    fields["air_temperature"].attrs["units"] = "K"
    fields["wind"][3, 1, 2] = -9999.0
    fields["land_fraction"] = (("lat", "lon"), np.full((2, 3), 40.0), {"units": "%"})
    fields["igbp"] = (("lat", "lon"), np.array([[4, 1, 0], [17, 255, 10]]))
    found = read(fields, tmp_path)
    assert found.degrees == 2.0 and found.blocks(3) == [slice(0, 1), slice(1, 2)]
    south, north = (found.block(rows) for rows in found.blocks(3))
    assert south.sizes["cell"] == 3 and south["lon"].values.tolist() == [-1.0, 1.0, 3.0]
    np.testing.assert_allclose(south["air_temperature"], 10.0, atol=1e-4)
    assert int(north["wind"].isnull().sum()) == 1 and bool(north["wind"].isnull()[2, 3])
    np.testing.assert_allclose(north["land_fraction"], 0.4)
    assert south["igbp"].values.tolist() == ["DBF", "ENF", ""] and north["igbp"].values.tolist() == ["WAT", "", "GRA"]
    # numbers and areas are those of a run's cells at the same place
    mask = np.zeros((90, 180), bool)
    mask[21:23, 89:92] = True
    own = xr.Dataset(coords=cell_coordinates(mask, 2.0, None))
    both = xr.concat([south, north], "cell")
    assert sorted(both["cell"].values) == own["cell"].values.tolist()
    np.testing.assert_array_equal(both["cell_area"].sel(cell=own["cell"]), own["cell_area"])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda f: f.drop_vars("vpd"), "lacks vpd, but air_temperature"),
        (lambda f: f.isel(time=[0, 1, 3, *range(4, 12)]), "another month follows where 2005-03 is due"),
        (lambda f: f.isel(time=slice(0, 11)), "has 11 months, at least 12 are needed"),
        (lambda f: f.assign_coords(lat=[45.0, 48.0]), "other steps than"),
        (lambda f: f.assign_coords(lat=[46.0, 48.0]), "lat 46 is no centre of a cell of the global grid of 2 degrees"),
        (lambda f: f.rename(lat="row"), "fields over time, lat and lon"),
        (lambda f: f.assign(wind=f["wind"].assign_attrs(units="")), "wind states no units; write the attribute"),
        (lambda f: f.assign_coords(time=np.arange(12)), "time holds no dates"),
        (
            lambda f: f.assign_coords(time=xr.date_range("2005-01-15", periods=12, calendar="noleap", use_cftime=True)),
            "dates of the calendar noleap",
        ),
        (lambda f: f.assign_coords(lat=[45.0, np.nan]), "lat holds nan, which is no place on Earth"),
        (lambda f: f.isel(lat=[0], lon=[0, 1]).assign_coords(lon=[0.0, 360.0]), "other steps than 0 degrees"),
        (lambda f: f.assign(wind=f["wind"][0]), "wind is over lat, lon, but time, lat, lon are expected"),
        (lambda f: f.assign(wind=f["wind"].expand_dims("height")), "wind is over height, time, lat, lon, but"),
        (lambda f: f.assign(igbp=f["wind"]), "igbp is over time, lat, lon, but lat, lon are expected"),
        (lambda f: f.assign(vegetated_fraction=f["wind"][0]), "cover without plant_fraction"),
        (
            lambda f: f.assign(
                vegetated_fraction=f["wind"][0], plant_fraction=f["wind"][0].expand_dims(plant_type=["BL", "NL"])
            ),
            "plant types BL, NL, but a coordinate plant_type with BL, NL, GS",
        ),
    ],
)
def test_wrong_fields_are_a_sentence(tmp_path, change, sentence):
    with pytest.raises(ValueError, match=sentence):
        read(change(made()), tmp_path)


def test_a_wrong_unit_and_a_wrong_class_are_said_when_their_block_is_read(tmp_path):
    kelvin, parsec, number = made(), made(), made()
    kelvin["air_temperature"] += 273.15
    parsec["wind"].attrs["units"] = "parsec d-1"
    number["igbp"] = (("lat", "lon"), np.full((2, 3), 40))
    for name, fields, sentence in (
        ("k", kelvin, "it looks like K"),
        ("p", parsec, "wind has unit 'parsec d-1'"),
        ("n", number, "igbp holds 40"),
    ):
        found = read(fields, tmp_path, f"{name}.nc")
        with pytest.raises(ValueError, match=sentence):
            found.block(slice(0, 2))


def test_shares_of_land_that_are_none_are_refused_and_rounded_ones_are_not(tmp_path):
    fields = made()
    fields["land_fraction"] = (("lat", "lon"), np.full((2, 3), 1.0 + 1e-6), {"units": "1"})
    assert (read(fields, tmp_path, "rounded.nc").block(slice(0, 2))["land_fraction"] == 1.0).all()
    fields["land_fraction"][1, 2] = 90.0
    found = read(fields, tmp_path, "percent.nc")
    with pytest.raises(ValueError, match="land_fraction holds 90, but shares from 0 to 1"):
        found.block(slice(0, 2))


def test_a_rounded_axis_gives_the_centres_of_the_grid(tmp_path):
    south = read(made(lat=(45.03, 47.03)), tmp_path).block(slice(0, 1))
    assert south["lat"].values.tolist() == [45.0] * 3 and south["lon"].values.tolist() == [-1.0, 1.0, 3.0]


def test_a_file_that_is_damaged_behind_its_axes_is_a_sentence(tmp_path):
    path, fields = tmp_path / "damaged.nc", made()
    fields["wind"] = fields["wind"] + np.random.default_rng(0).random(fields["wind"].shape)
    fields["wind"].attrs["units"] = "m s-1"
    fields.to_netcdf(path, encoding={"wind": {"fletcher32": True, "chunksizes": fields["wind"].shape}})
    content, values = path.read_bytes(), fields["wind"].values.astype("<f8").tobytes()
    assert content.count(values) == 1
    path.write_bytes(content.replace(values, values[::-1]))
    found = read_fields([path])
    with pytest.raises(ValueError, match=r"damaged\.nc cannot be read"):
        found.block(slice(0, 2))


def test_files_that_do_not_belong_together_are_refused(tmp_path):
    made().to_netcdf(tmp_path / "a.nc")
    made(lat=(47.0, 49.0)).rename(wind="lai_satellite")[["lai_satellite"]].to_netcdf(tmp_path / "b.nc")
    with pytest.raises(ValueError, match=r"a\.nc, b\.nc: the files have other cells, months"):
        read_fields([tmp_path / "a.nc", tmp_path / "b.nc"])


def test_cells_that_lie_on_no_grid_or_lack_their_cover_are_refused(tmp_path):
    cells = xr.Dataset({"static": (("cell", "attribute"), np.zeros((2, 1)))}, coords={"time": TIME, "cell": [0, 1]})
    with pytest.raises(ValueError, match="cells without lat"):
        read(cells, tmp_path)
    about = {name: ("cell", np.zeros(2)) for name in ("lat", "lon", "land_fraction", "cell_area")}
    rest = {name: ("cell", np.zeros(2)) for name in ("plant_fraction", "vegetated_fraction", "age_weight")}
    with pytest.raises(ValueError, match="lie on no grid"):
        read(cells.assign(about | rest).assign_attrs(grid_degrees=0.0), tmp_path, "no_grid.nc")
    later = cells.assign(about | rest).assign_attrs(grid_degrees=6.0).assign_coords(time=TIME + pd.Timedelta(days=180))
    with pytest.raises(ValueError, match="begin in 2005-07 with 12 months, but whole calendar years"):
        read(later, tmp_path, "july.nc")


def test_shares_in_percent_are_converted(tmp_path):
    fields = made()
    percent = {"units": "%"}
    types = {"plant_type": ["BL", "NL", "GS"]}
    fields["vegetated_fraction"] = (("lat", "lon"), np.full((2, 3), 80.0), percent)
    fields["plant_fraction"] = fields["vegetated_fraction"].expand_dims(types) * 0 + 100.0 / 3
    fields["plant_fraction"].attrs = percent
    fields["elevation"] = (("lat", "lon"), np.full((2, 3), 120.0), {"units": "m"})
    block = read(fields, tmp_path).block(slice(0, 1))
    np.testing.assert_allclose(block["vegetated_fraction"], 0.8)
    np.testing.assert_allclose(block["plant_fraction"].sum("plant_type"), 1.0)
    np.testing.assert_allclose(block["elevation"], 120.0)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda f: f.assign(igbp=(("lat", "lon"), np.full((2, 3), -1))), "igbp holds -1, but numbers from 1"),
        (lambda f: f.assign(elevation=f["wind"][0].assign_attrs(units="feet")), "elevation has unit 'feet', but 'm'"),
    ],
)
def test_blocks_refuse_numbers_and_units_that_say_something_else(change, sentence, tmp_path):
    with pytest.raises(ValueError, match=sentence):
        read(change(made()), tmp_path).block(slice(0, 1))
