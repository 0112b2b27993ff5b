"""Damaged and unsuitable process-model NetCDF: each ends in one sentence."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from process_model_samples import config, write_model

from dere.ingest.simulation.process_model_files import join_plant_types, open_quantity
from dere.ingest.simulation.process_model_netcdf import read_simulation


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    write_model(folder)
    return folder


@pytest.fixture
def broken(folder, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def edit(path, change):
    with xr.open_dataset(path, decode_times=False) as opened:
        dataset = opened.load()
    change(dataset).to_netcdf(path)


def attrs(name, **changes):
    return lambda d: d.assign({name: d[name].assign_attrs(changes)})


def times(**changes):
    return lambda d: d.assign_coords(time=d["time"].assign_attrs(changes))


def gaps(d):
    values = d["dswrf"].values.copy()
    values[20] = -99999.0
    return d.assign(dswrf=d["dswrf"].copy(data=values))


def without_bounds(d):
    kept = {name: d["time"].attrs[name] for name in ("units", "calendar")}
    return d.drop_vars("time_bnds").assign_coords(time=("time", d["time"].values, kept))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("gpp", attrs("gpp", units="furlong"), r"SYNTH_S3_gpp\.nc: gpp has unit 'furlong'"),
        ("gpp", lambda d: d.rename(gpp="GPP"), r"SYNTH_S3_gpp\.nc has no variable gpp \(it holds GPP"),
        ("gpp", lambda d: d.assign(gpp=(-d["gpp"]).assign_attrs(d["gpp"].attrs)), "gpp is negative in .*turn its sign"),
        ("gpp", lambda d: d.rename(lat="south_north"), r"has dimensions .*a lat axis is needed"),
        ("gpp", lambda d: d.expand_dims(member=[1, 2]), "time, lat, lon and one of plant types"),
        ("gpp", lambda d: d.drop_vars("PFT"), "4 plant types along PFT and 0 names"),
        ("gpp", lambda d: d.assign_coords(PFT=["BNE", "TeBS", "C4G", "Bare"]), "lacks plant type C3G"),
        (
            "landCoverFrac",
            lambda d: d.assign_coords(PFT=["a", "b", "c", "d"]),
            "plant types a, b, c, d that have no class",
        ),
        ("gpp", lambda d: d.isel(time=[*range(5), *range(6, 36)]), r"time goes on by \[1, 2\] months"),
        ("gpp", lambda d: d.isel(time=slice(None, None, -1)), "time goes on by"),
        ("gpp", times(units="fortnights since 2000-01-01"), "days, months or years since a date are needed"),
        ("gpp", times(units="today"), "has units 'today'"),
        ("gpp", times(calendar="martian"), "calendar 'martian' cannot be read"),
        ("gpp", lambda d: d.isel(time=slice(0, 12)), "share no whole year"),
        (
            "gpp",
            lambda d: d.assign_coords(lat=d["lon"].values[:6], lon=np.arange(12) * 10.0 - 60),
            "they may be exchanged",
        ),
        ("gpp", lambda d: d.assign_coords(lat=d["lat"] * 0.9), "interpolate the files"),
        ("gpp", lambda d: d.assign_coords(lat=d["lat"] + 10), "interpolate the files to it"),
        ("gpp", lambda d: d.assign_coords(lon=np.append(d["lon"].values[:-1], 15.0 - 360 + 360)), "grid steps|twice"),
        ("lai", lambda d: d.isel(lat=slice(0, 4)), "does not reach all cells in latitude"),
    ],
)
def test_bad_variables(broken, name, change, message):
    edit(broken / f"SYNTH_S3_{name}.nc", change)
    with pytest.raises(ValueError, match=message):
        read_simulation(broken, "monthly8", config())


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("tmp", attrs("tmp", units="degC"), r"synth\.tmp\.monthly\.nc.*has median"),
        ("tmp", lambda d: d.isel(time=slice(0, 11)), "share no whole year"),
        ("pres", lambda d: d.expand_dims(level=["a", "b"]), "must be monthly by time, lat and lon as a driver"),
        ("spfh", attrs("spfh", units="g"), "has unit 'g'"),
        ("dswrf", gaps, "none of 5 cells has all"),
    ],
)
def test_bad_drivers(broken, name, change, message):
    edit(broken / f"synth.{name}.monthly.nc", change)
    with pytest.raises(ValueError, match=message):
        read_simulation(broken, "monthly8", config())


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"ages": (50, 100)}, ValueError, r"lists 2 stand ages, but .*no \{age\}"),
        ({"netcdf": {"pattern": "*_{nam}.nc"}}, ValueError, r"pattern '\*_\{nam\}\.nc' cannot be filled"),
        ({"netcdf": {"pattern": "../*_{name}.nc"}}, ValueError, "leads out of"),
        ({"netcdf": {"pattern": "X_{name}.nc"}}, FileNotFoundError, r"holds no X_gpp\.nc \(gpp\)"),
        ({"netcdf": {"pattern": "*.nc"}}, ValueError, r"holds \d+ files \*\.nc"),
        ({"netcdf": {"variables": {"gpp": "gpp", "biomass": "x"}}}, ValueError, "variables has biomass, no ra"),
        ({"netcdf": {"drivers": {"air_temperature": "tmp"}}}, ValueError, "lacks .*precipitation"),
        ({"netcdf": {"drivers": {"air_temperature": "tmp", "snow": "s"}}}, ValueError, "names snow that is unknown"),
        ({"netcdf": {"co2": "none.txt"}}, FileNotFoundError, r"holds no none\.txt \(CO2\)"),
        ({"netcdf": {"plant_type_names": ("a", "b")}}, ValueError, "4 plant types along PFT and 2 names"),
    ],
)
def test_bad_options(folder, options, error, message):
    with pytest.raises(error, match=message):
        read_simulation(folder, "monthly8", config(**options))


def test_another_driver_set(folder):
    with pytest.raises(ValueError, match="set it to monthly8"):
        read_simulation(folder, "carbonglobe136", config())


def test_truncated_file(broken):
    path = broken / "SYNTH_S3_gpp.nc"
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(ValueError, match=r"SYNTH_S3_gpp\.nc .*cannot be read as NetCDF"):
        read_simulation(broken, "monthly8", config())


def test_files_of_plant_types_must_be_alike(broken):
    first = open_quantity(broken / "SYNTH_S3_rh.nc", "rh")
    joined = join_plant_types({"BNE": first, "C3G": first})
    assert joined.plant_types == ("BNE", "C3G") and len(joined.arrays) == 2
    with xr.open_dataset(broken / "SYNTH_S3_rh.nc", decode_times=False) as opened:
        attrs("rh", units="kg m-2 s-1")(opened.load()).to_netcdf(broken / "other.nc")
    with pytest.raises(ValueError, match=r"rh differs from .* in unit, grid, months or plant types"):
        join_plant_types({"BNE": first, "C3G": open_quantity(broken / "other.nc", "rh")})


def test_a_file_that_breaks_while_it_is_read(broken):
    path = broken / "SYNTH_S3_gpp.nc"
    with xr.open_dataset(path, decode_times=False) as opened:
        dataset = opened.load()
    dataset.to_netcdf(path, encoding={"gpp": {"zlib": True, "chunksizes": (1, 4, 6, 12)}})
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + len(content) // 4] = bytes(len(content) // 4)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"SYNTH_S3_gpp\.nc.*cannot be read"):
        read_simulation(broken, "monthly8", config())


def test_a_missing_file():
    with pytest.raises(FileNotFoundError, match=r"none\.nc does not exist"):
        open_quantity(Path("none.nc"), "gpp")


def test_grids_must_agree(broken):
    edit(
        broken / "synth.tmp.monthly.nc", lambda d: d.interp(lat=np.arange(-80.0, 90, 20), lon=np.arange(10.0, 360, 20))
    )
    with pytest.raises(ValueError, match=r"cells of 20, 30 degrees, but one grid is needed"):
        read_simulation(broken, "monthly8", config())


def test_stamps_at_the_end_of_a_month_need_their_bounds(broken):
    """2000-01-31 24:00 is 2000-02-01: without bounds the series would start a month late."""
    edit(broken / "SYNTH_S3_gpp.nc", without_bounds)
    with pytest.raises(ValueError, match=r"36 stamps .* starts \(2000-02 to 2003-01\) or the ends"):
        read_simulation(broken, "monthly8", config())
