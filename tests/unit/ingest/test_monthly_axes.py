"""monthly8.nc by its coordinates: cells in any order give the same numbers, other cells or months a sentence."""

import json

import numpy as np
import pytest
import xarray as xr

from dere.ingest.simulation.carbonglobe import read_simulation
from dere.variables import MONTHLY8

CELLS, MONTHS = np.array([14, 27, 41]), 24
LAT, LON = np.array([45.0, 15.0, -15.0]), np.array([-105.0, -75.0, -15.0])
STARTS = np.arange("2001-01", "2003-02", dtype="datetime64[M]").astype("datetime64[ns]")


@pytest.fixture
def folder(simulation_folder):
    """The sample whose monthly8.nc has a number of its own in every cell and month, and all coordinates."""
    path = simulation_folder / "monthly8.nc"
    with xr.open_dataset(path) as opened:
        monthly = opened.load()
    own = 0.01 * np.arange(MONTHS)[:, None] + 0.3 * np.arange(3)
    for name in MONTHLY8:
        monthly[name] = (monthly[name].dims, monthly[name].values + own, monthly[name].attrs)
    middle = STARTS[:-1] + (STARTS[1:] - STARTS[:-1]) // 2
    monthly.assign_coords(cell=CELLS, lat=("cell", LAT), lon=("cell", LON), time=middle).to_netcdf(path)
    return simulation_folder


def change(folder, function):
    path = folder / "monthly8.nc"
    with xr.open_dataset(path) as opened:
        monthly = opened.load()
    function(monthly).to_netcdf(path)


def values(folder):
    forcing, _ = read_simulation(folder, "monthly8")
    return forcing[[*MONTHLY8, "land_fraction"]].load()


ORDER = [2, 0, 1]


@pytest.mark.parametrize(
    "edit",
    [
        lambda m: m.isel(cell=ORDER),
        lambda m: m.isel(cell=ORDER).drop_vars("cell"),
        lambda m: m.isel(cell=ORDER).drop_vars(["lat", "lon"]),
        lambda m: m.isel(cell=ORDER).assign_coords(cell=ORDER).drop_vars(["lat", "lon"]),
        lambda m: m.isel(cell=ORDER).assign_coords(cell=[0, 1, 2]),
        lambda m: m.isel(cell=ORDER).assign_coords(lon=("cell", LON[ORDER] % 360)),
        lambda m: m.isel(cell=ORDER).rename(lat="latitude", lon="longitude").transpose(),
        lambda m: m.assign_coords(time=STARTS[:-1]),
        lambda m: m.assign_coords(time=STARTS[1:]),
        lambda m: m.drop_vars(["time", "cell", "lat", "lon"]),
        lambda m: m.drop_vars("lon"),
    ],
)
def test_the_order_of_cells_does_not_matter(folder, edit):
    expected = values(folder)
    change(folder, edit)
    xr.testing.assert_identical(values(folder), expected)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda m: m.isel(time=slice(None, None, -1)), "time goes on by"),
        (lambda m: m.isel(time=[0, 0, *range(2, MONTHS)]), "time goes on by"),
        (lambda m: m.isel(time=[0, *range(MONTHS - 1)]), "time goes on by"),
        (lambda m: m.isel(time=slice(12)), r"time has 12 steps, 2001-01 to 2001-12, but start_year .* 24 months"),
        (
            lambda m: m.assign_coords(time=STARTS[:-1] + np.timedelta64(40, "D")),
            "time has 24 steps, 2001-02 to 2003-01",
        ),
        (lambda m: m.assign_coords(time=np.arange(24.0)), "time has units ''"),
        (lambda m: m.assign_coords(lat=("cell", LON), lon=("cell", LAT)), "they may be exchanged"),
        (lambda m: m.assign_coords(lat=("cell", -LAT)), r"lat and lon \(as cells\) holds 3 values"),
        (lambda m: m.assign_coords(lon=("cell", -LON)), r"lat and lon \(as cells\) holds 3 values"),
        (lambda m: m.assign_coords(lat=("cell", LAT[ORDER]), lon=("cell", LON[ORDER])), "cell says other cells"),
        (lambda m: m.assign_coords(lat=("cell", -LAT)).drop_vars("lon"), "lat says other cells"),
        (
            lambda m: m.drop_vars("cell").drop_vars("lat").assign_coords(lon=("cell", LON[ORDER])),
            "lon says other cells",
        ),
        (lambda m: m.isel(cell=[0, 0, 1]), "holds 14 2 times"),
        (lambda m: m.isel(cell=[0, 1]), r"holds 2 values .*\(41 is missing\)"),
        (lambda m: m.assign_coords(cell=[14, 27, 42]).drop_vars(["lat", "lon"]), r"\(41 is missing\)"),
        (lambda m: m.assign_coords(lat=("cell", [45.0, np.nan, -15.0])), "latitude nan"),
    ],
)
@pytest.mark.parametrize("driver_set", ["monthly8", "carbonglobe136"])
def test_other_cells_or_months_are_refused(folder, edit, message, driver_set):
    change(folder, edit)
    with pytest.raises(ValueError, match=rf"monthly8\.nc.*{message}"):
        read_simulation(folder, driver_set)


def test_the_first_year_is_compared(folder):
    path = folder / "meta.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"start_year": 1901}))
    with pytest.raises(
        ValueError, match=r"monthly8\.nc: time has 24 steps, 2001-01 to 2002-12, but .*1901-01 to 1902-12"
    ):
        read_simulation(folder, "monthly8")


@pytest.mark.parametrize("driver_set", ["monthly8", "carbonglobe136"])
def test_seasons_of_the_other_hemisphere(folder, driver_set):
    """The only test of a mask with turned rows where nothing states latitudes."""
    north = 1 + 0.5 * np.cos(2 * np.pi * (np.arange(12) - 5.2) / 12)
    channels = np.load(folder / "glob_X_fea.npy")
    channels[..., 35:129:4] *= north[:, None].astype("f4")
    np.save(folder / "glob_X_fea.npy", channels)

    def seasonal(m):
        sun = (m["shortwave"] * np.tile(north, 2)[:, None]).assign_attrs(m["shortwave"].attrs)
        return m.assign(shortwave=sun).drop_vars(["cell", "lat", "lon"])

    change(folder, seasonal)
    read_simulation(folder, driver_set)
    mask = np.load(folder / "mask2d.npy")
    np.save(folder / "mask2d.npy", mask[::-1])
    with pytest.raises(ValueError, match=r"shortwave is [56]\.\d months (behind|ahead of) the sun"):
        read_simulation(folder, driver_set)
