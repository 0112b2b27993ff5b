"""Process-model files read by their labels: longitudes in any order, plant types by name, rows that lie as they say."""

import numpy as np
import pytest
import xarray as xr
from process_model_samples import PLANT_TYPES, config, write_model

from dere.ingest.possible import Sieve
from dere.ingest.simulation.process_model_axes import lattice_of
from dere.ingest.simulation.process_model_netcdf import read_simulation
from dere.ingest.simulation.process_model_run import candidates, open_model
from dere.world.geography import is_land


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    write_model(folder)
    return folder


@pytest.fixture
def folder(original, tmp_path):
    for path in original.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def change(path, function):
    with xr.open_dataset(path, decode_times=False) as opened:
        dataset = opened.load()
    function(dataset).to_netcdf(path)


def result(folder, **netcdf):
    forcing, simulation, _ = read_simulation(folder, "monthly8", config(netcdf=netcdf))
    return forcing.load(), simulation.load()


def assert_alike(found, expected):
    for one, other in zip(found, expected, strict=True):
        xr.testing.assert_identical(one, other)


MIXED = [3, 0, 2, 1]


@pytest.mark.parametrize(
    ("files", "edit"),
    [
        ("SYNTH_S3_*.nc", lambda d: d.isel(lon=np.roll(np.arange(12), 5))),
        ("synth.*.nc", lambda d: d.assign_coords(lon=(d["lon"] + 180) % 360 - 180)),
        ("*.nc", lambda d: d.isel(lat=[3, 0, 5, 1, 4, 2], lon=np.random.default_rng(1).permutation(12))),
        ("synth.tmp.monthly.nc", lambda d: d.isel(lat=slice(None, None, -1))),
        ("SYNTH_S3_gpp.nc", lambda d: d.isel(PFT=MIXED)),
    ],
)
def test_order_of_rows_columns_and_types_does_not_matter(original, folder, files, edit):
    for path in folder.glob(files):
        change(path, edit)
    assert_alike(result(folder), result(original))


def numbered(**attrs):
    return lambda d: d.assign_coords(PFT=("PFT", [1, 2, 3, 4], {"flag_meanings": " ".join(PLANT_TYPES), **attrs}))


def test_numbered_plant_types_go_by_their_numbers(original, folder):
    path = folder / "SYNTH_S3_gpp.nc"
    change(path, lambda d: numbered(flag_values=np.arange(1, 5))(d).isel(PFT=MIXED))
    assert_alike(result(folder), result(original))
    change(path, lambda d: d.assign_coords(PFT=("PFT", d["PFT"].values, {"flag_meanings": " ".join(PLANT_TYPES)})))
    with pytest.raises(ValueError, match=r"gpp numbers its plant types \[4, 1, 3, 2\].*sort the file by PFT"):
        result(folder)


def test_configured_names_may_not_contradict_labels(original, folder):
    assert_alike(result(folder, plant_type_names=PLANT_TYPES), result(original))
    with pytest.raises(
        ValueError, match=r"labels its plant types BNE, TeBS, C3G, Bare, but .*plant_type_names lists Bare"
    ):
        result(folder, plant_type_names=PLANT_TYPES[::-1])
    change(folder / "SYNTH_S3_gpp.nc", lambda d: d.assign_coords(PFT=[4, 3, 2, 1]))
    with pytest.raises(ValueError, match="names in order are those of other types"):
        result(folder, plant_type_names=PLANT_TYPES)


def test_a_region_across_the_date_line_and_a_hole():
    part = lattice_of(np.array([10.25, 10.75]), np.array([179.25, 179.75, -179.75, -179.25]), "f")
    assert part.degrees == 0.5 and part.column.tolist() == [718, 719, 0, 1]
    with pytest.raises(ValueError, match=r"grid steps run from 0\.5 to 30 degrees"):
        lattice_of(np.array([10.25, 10.75]), np.array([10.25, 10.75, 40.75, 41.25]), "f")
    with pytest.raises(ValueError, match="missing values"):
        lattice_of(np.array([10.25, np.nan]), np.array([10.25, 10.75]), "f")


def with_versions(d):
    late = d["tmp"].isel(time=slice(30, None))
    parts = [d["tmp"].isel(time=slice(30)).reindex(time=d["time"]), late.reindex(time=d["time"])]
    joined = xr.concat(parts, xr.DataArray([1, 5], dims="expver", name="expver"))
    return d.assign(tmp=joined.transpose("time", "expver", "lat", "lon").assign_attrs(d["tmp"].attrs))


def test_era5_versions_are_told(original, folder, caplog):
    path = folder / "synth.tmp.monthly.nc"
    change(path, lambda d: d.assign_coords(expver=("time", ["0001"] * 30 + ["0005"] * 6)))
    assert_alike(result(folder), result(original))
    assert "holds preliminary months of ERA5T (expver 5)" in caplog.text
    change(path, lambda d: d.drop_vars("expver").expand_dims(expver=[1], axis=1))
    assert_alike(result(folder), result(original))
    change(path, lambda d: with_versions(d.isel(expver=0, drop=True)))
    with pytest.raises(ValueError, match=r"tmp has 2 versions along expver .*d\.sel\(expver=1\)\.combine_first"):
        result(folder)


def test_the_new_name_of_the_era5_time_axis(original, folder):
    change(folder / "synth.tmp.monthly.nc", lambda d: d.rename(time="valid_time"))
    assert_alike(result(folder), result(original))


def test_land_that_lies_the_other_way(folder):
    """Values turned, coordinates not: 5 degrees, so that there are cells enough to tell."""
    lat, lon = np.arange(87.5, -90, -5.0), np.arange(-177.5, 180, 5.0)
    points = np.meshgrid(lat, lon, indexing="ij")
    land = is_land(points[0].ravel(), points[1].ravel()).reshape(36, 72)

    def globe(d):
        name = next(n for n in d.data_vars if n != "time_bnds")
        place = d[name].isel(lat=3, lon=0, drop=True)
        values = np.where(land, place.values[..., None, None], np.nan)
        wide = xr.DataArray(values, {"lat": lat, "lon": lon}, (*place.dims, "lat", "lon"), name, place.attrs)
        return d.drop_vars([name, "lat", "lon"]).assign({name: wide})

    for path in folder.glob("*.nc"):
        change(path, globe)
    assert len(candidates(open_model(folder, config()), Sieve())) == land.sum()
    change(folder / "SYNTH_S3_gpp.nc", lambda d: d.assign(gpp=d["gpp"].copy(data=np.flip(d["gpp"].values, axis=-2))))
    model = open_model(folder, config())
    with pytest.raises(ValueError, match=r"SYNTH_S3_gpp\.nc: gpp: \d+% of its land cells .*row 0 in the south"):
        candidates(model, Sieve())
