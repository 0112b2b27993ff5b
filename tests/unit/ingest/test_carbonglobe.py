"""The CarbonGlobe layout: interleaved hours, units, closure, damaged arrays."""

import json

import numpy as np
import pytest
import xarray as xr

from carbon_closure import closure_residuals
from dere.channels import DIURNAL
from dere.ingest.simulation.carbonglobe import SEVEN_TARGETS, parse_fractions, parse_targets, read_simulation
from dere.io import read_netcdf, write_netcdf
from dere.variables import TARGETS


def edit(path, change):
    array = np.load(path)
    np.save(path, change(array))


def test_grid(simulation_folder):
    forcing, simulation = read_simulation(simulation_folder, "monthly8")
    assert forcing.cell.values.tolist() == [14, 27, 41]
    assert forcing.lat.values.tolist() == [45.0, 15.0, -15.0] and forcing.lon.values.tolist() == [-105.0, -75.0, -15.0]
    np.testing.assert_allclose(forcing.land_fraction, [0.5, 0.75, 1.0])
    np.testing.assert_allclose(forcing.cell_area[1], forcing.cell_area[2])
    whole_sphere = sum(float(a) for a in 12 * 2 * np.unique(np.round(forcing.cell_area.values)))
    band_60_90 = 2 * 2 * np.pi * 6371007.2**2 * (1 - np.sin(np.deg2rad(60)))
    np.testing.assert_allclose(whole_sphere + band_60_90, 4 * np.pi * 6371007.2**2, rtol=1e-6)
    assert (simulation.cell == forcing.cell).all() and (simulation.time == forcing.time).all()


def test_monthly8(simulation_folder):
    forcing, _ = read_simulation(simulation_folder, "monthly8")
    assert forcing.attrs == {"driver_set": "monthly8", "grid_degrees": 30.0, "start_month": "2001-01"}
    assert forcing.vpd.dims == ("cell", "time") and forcing.sizes["time"] == 24
    assert float(forcing.pressure.mean()) == 98.0
    assert forcing.soil.sel(soil_property="depth_to_bedrock").values.tolist() == [2000.0] * 3


def test_monthly8_is_converted_by_its_units(simulation_folder):
    path = simulation_folder / "monthly8.nc"
    with xr.open_dataset(path) as opened:
        monthly = opened.load()
    monthly["air_temperature"] = (monthly["air_temperature"] + 273.15).assign_attrs(units="K")
    monthly["pressure"] = (monthly["pressure"] * 1000).assign_attrs(units="Pa")
    monthly.to_netcdf(path)
    forcing, _ = read_simulation(simulation_folder, "monthly8")
    np.testing.assert_allclose(forcing.air_temperature, 10.0, atol=1e-4)
    np.testing.assert_allclose(forcing.pressure, 98.0, rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.drop_vars("co2"), "no variable co2"),
        (lambda m: m.assign(vpd=m.vpd.assign_attrs(units="bar")), "vpd has unit 'bar'"),
        (lambda m: m.assign(vpd=m.vpd.drop_attrs()), "no units attribute"),
        (lambda m: m.assign(vpd=(m.vpd * 100).assign_attrs(units="hPa")), "vpd has median 500.*looks like Pa"),
        (lambda m: m.assign(vpd=m.vpd.astype(str)), "vpd holds <U.*, but numbers are needed"),
        (lambda m: m.isel(time=slice(12)), "time: 24 are needed"),
        (lambda m: m.assign(wind=m.wind.where(m.wind.time > 3)), "wind has 12 NaN"),
    ],
)
def test_bad_monthly8(simulation_folder, change, message):
    path = simulation_folder / "monthly8.nc"
    with xr.open_dataset(path) as opened:
        monthly = opened.load()
    change(monthly).to_netcdf(path)
    with pytest.raises(ValueError, match=rf"monthly8\.nc.*{message}"):
        read_simulation(simulation_folder, "monthly8")


def test_channels_are_interleaved_by_hour(simulation_folder):
    forcing, _ = read_simulation(simulation_folder, "carbonglobe136")
    place = forcing.isel(cell=0, time=0)
    hours = np.arange(24)
    np.testing.assert_allclose(place.specific_humidity_hourly, 0.008 + 1e-4 * hours, rtol=1e-5)
    np.testing.assert_allclose(place.wind_hourly, 2 + 0.1 * hours, rtol=1e-5)
    assert int(place.shortwave_hourly.argmax("hour")) == 12 and float(place.shortwave_hourly[0]) == 0
    np.testing.assert_allclose(place.air_temperature_hourly[12], 290 - 273.15, atol=1e-4)
    np.testing.assert_allclose(place.co2_hourly, 390 + hours)
    np.testing.assert_allclose(forcing.precipitation.isel(cell=0, time=[0, 1]), [62 / 31, 62 / 28], rtol=1e-6)
    np.testing.assert_allclose(place.soil_temperature, 284 - 273.15, atol=1e-4)
    assert forcing.disturbance_rate.dims == ("cell", "time") and set(DIURNAL) <= set(forcing.data_vars)


def in_utc(folder):
    """Turn every cycle of the folder from solar time to UTC; its cells lie at 105, 75 and 15 W."""
    path = folder / "glob_X_fea.npy"
    channels = np.load(path)
    for cell, lon in enumerate((-105, -75, -15)):
        for start in range(33, 37):
            channels[cell, ..., start:129:4] = np.roll(channels[cell, ..., start:129:4], -lon // 15, axis=-1)
    np.save(path, channels)


def state(folder, **keys):
    path = folder / "meta.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | keys))


def test_the_clock_is_found_and_survives_the_interim_file(simulation_folder, tmp_path):
    forcing, _ = read_simulation(simulation_folder, "carbonglobe136")
    assert forcing.attrs["hours"] == "solar"
    in_utc(simulation_folder)
    forcing, _ = read_simulation(simulation_folder, "carbonglobe136")
    assert forcing.attrs["hours"] == "utc" and int(forcing.shortwave_hourly[0, 0].argmax("hour")) == 19
    write_netcdf(forcing, tmp_path / "forcing.nc")
    assert read_netcdf(tmp_path / "forcing.nc").attrs["hours"] == "utc"
    assert read_netcdf(tmp_path / "forcing.nc", memory=1000).attrs["hours"] == "utc"
    assert "hours" not in read_simulation(simulation_folder, "monthly8")[0].attrs


def test_a_clock_that_no_cell_tells_can_be_stated(simulation_folder, caplog):
    def neither(channels):
        channels[..., 35:129:4] = np.roll(channels[..., 35:129:4], -6, axis=-1)
        return channels

    edit(simulation_folder / "glob_X_fea.npy", neither)
    assert read_simulation(simulation_folder, "carbonglobe136")[0].attrs["hours"] == "unknown"
    assert "not clear whether hours are UTC or local" in caplog.text
    caplog.clear()
    for stated, expected in (("utc", "utc"), ("solar", "solar"), ("detect", "unknown")):
        assert not caplog.text
        state(simulation_folder, hours=stated)
        assert read_simulation(simulation_folder, "carbonglobe136")[0].attrs["hours"] == expected


def test_a_stated_clock_must_be_that_of_the_sun(simulation_folder):
    state(simulation_folder, hours="utc")
    with pytest.raises(ValueError, match=r"glob_X_fea\.npy: .*hours are local time, but meta\.json has hours 'utc'"):
        read_simulation(simulation_folder, "carbonglobe136")
    state(simulation_folder, hours="local")
    with pytest.raises(ValueError, match=r"meta\.json: hours is 'local', but solar, utc or detect is needed"):
        read_simulation(simulation_folder, "monthly8")


def four_blocks(channels):
    """The classic mistake: four blocks of 24 hours instead of interleaving."""
    blocks = channels.copy()
    blocks[..., 33:129] = (
        channels[..., 33:129].reshape(*channels.shape[:3], 24, 4).swapaxes(-1, -2).reshape(*channels.shape[:3], 96)
    )
    return blocks


def no_night(channels):
    bright = channels.copy()
    bright[..., 35:129:4] = 150.0
    return bright


def with_nan(channels):
    broken = channels.copy()
    broken[1, 0, 3, 70] = np.nan
    return broken


def celsius(channels):
    cold = channels.copy()
    cold[..., 0] -= 273.15
    return cold


@pytest.mark.parametrize("driver_set", ["monthly8", "carbonglobe136"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (four_blocks, "channel 34.*order of the channels"),
        (no_night, "150 W m-2 in the 4 darkest hours.*interleaved by hour"),
        (with_nan, "cell 1 holds NaN"),
        (celsius, r"channel 0 \(air temperature\) reaches.*in K"),
        (lambda x: x[:2], "3 land cells of mask2d.npy"),
        (lambda x: x[..., :135], r"\(cells, years, 12, 136\)"),
    ],
)
def test_bad_channels(simulation_folder, change, message, driver_set):
    edit(simulation_folder / "glob_X_fea.npy", change)
    with pytest.raises(ValueError, match=rf"glob_X_fea\.npy.*{message}"):
        read_simulation(simulation_folder, driver_set)


def test_states_units_closure_and_initial_month(simulation_folder):
    raw = np.load(simulation_folder / "glob_Y_NL050.npy")
    _, simulation = read_simulation(simulation_folder, "monthly8")
    place = simulation.sel(stand="NL", age=50)
    np.testing.assert_allclose(place.state.isel(cell=2, time=13).sel(target="lai"), raw[2, 2, 1, TARGETS.index("lai")])
    np.testing.assert_allclose(
        place.state.isel(cell=2, time=13).sel(target="gpp"), raw[2, 2, 1, TARGETS.index("gpp")] / 0.36525, rtol=1e-6
    )
    np.testing.assert_allclose(
        place.initial_state.sel(target="agb").values, raw[:, 0, 11, TARGETS.index("agb")], rtol=1e-7
    )
    targets = {name: simulation.state.sel(target=name).values for name in TARGETS}
    for name, residual in closure_residuals(targets).items():
        assert np.abs(residual).max() < 2e-6, name
    assert simulation.state.dtype == np.float32


def test_plant_fractions_of_the_driver_years(simulation_folder):
    raw = np.load(simulation_folder / "glob_F001.npy")
    _, simulation = read_simulation(simulation_folder, "monthly8")
    assert simulation.year.values.tolist() == [2001, 2002]
    np.testing.assert_allclose(simulation.plant_fraction.sel(age=1).values, raw[:, 1:], atol=1e-6)


def test_public_layout_of_seven_targets(simulation_folder, caplog):
    """The public set has seven targets and one value in all months of a year, no stands and no fractions."""
    for path in [*simulation_folder.glob("glob_Y_*.npy"), *simulation_folder.glob("glob_F*.npy")]:
        path.unlink()
    (simulation_folder / "monthly8.nc").unlink()
    for path in simulation_folder.glob("glob_Y*.npy"):
        ten = np.repeat(np.load(path)[:, :, :1], 12, axis=2)
        np.save(path, ten[..., [TARGETS.index(name) for name in SEVEN_TARGETS]])
    forcing, simulation = read_simulation(simulation_folder, "carbonglobe136")
    assert simulation.stand.values.tolist() == ["mixture"] and "plant_fraction" not in simulation
    assert "monthly skill cannot be learned" in caplog.text
    state = simulation.state.isel(cell=0, age=0, time=0, stand=0)
    closure = state.sel(target="reco") - state.sel(target="gpp") - state.sel(target="nee")
    assert abs(float(closure)) < 1e-6
    assert forcing.land_fraction.values.tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(FileNotFoundError, match=r"monthly8\.nc does not exist"):
        read_simulation(simulation_folder, "monthly8")


def test_wrong_sign_of_nee_is_found(simulation_folder):
    def flip(targets):
        targets[..., TARGETS.index("nee")] *= -1
        return targets

    edit(simulation_folder / "glob_Y001.npy", flip)
    with pytest.raises(ValueError, match=r"glob_Y001\.npy: nee differs.*sign of NEE"):
        read_simulation(simulation_folder, "monthly8")


def test_targets_must_be_complete():
    values = np.ones((2, 10))
    values[0, 3] = np.nan
    with pytest.raises(ValueError, match=r"f\.npy holds 1 NaN"):
        parse_targets(values, "f.npy")


@pytest.mark.parametrize("values", [[[0.5, 0.6, 0.1]], [[1.2, -0.2, 0.0]], [[np.nan, 0.5, 0.5]]])
def test_bad_fractions(values):
    with pytest.raises(ValueError, match="plant fractions"):
        parse_fractions(np.array(values), "f.npy")


@pytest.mark.parametrize("name", ["mask2d.npy", "glob_X_fea.npy", "glob_Y_GS001.npy", "glob_F050.npy", "monthly8.nc"])
def test_truncated_files(simulation_folder, name):
    path = simulation_folder / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=rf"{name}.*truncated"):
        read_simulation(simulation_folder, "monthly8")


@pytest.mark.parametrize("name", ["mask2d.npy", "glob_X_fea.npy", "glob_Y050.npy", "glob_F050.npy", "meta.json"])
def test_missing_files(simulation_folder, name):
    (simulation_folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"{name} does not exist"):
        read_simulation(simulation_folder, "monthly8")


def test_wrong_shapes(simulation_folder):
    edit(simulation_folder / "glob_Y_GS050.npy", lambda x: x[:, 1:])
    with pytest.raises(ValueError, match=r"glob_Y_GS050\.npy has shape \(3, 2, 12, 10\), but \(3, 3, 12, 10\)"):
        read_simulation(simulation_folder, "monthly8")


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros((6, 12), dtype=bool), "marks no land cell"),
        (np.ones((6, 12)), "boolean"),
        (np.ones((12, 6), dtype=bool), r"shape \(12, 6\), but a global grid of 30 degrees has \(6, 12\)"),
    ],
)
def test_bad_masks(simulation_folder, mask, message):
    np.save(simulation_folder / "mask2d.npy", mask)
    with pytest.raises(ValueError, match=rf"mask2d\.npy.*{message}"):
        read_simulation(simulation_folder, "monthly8")


def test_meta_and_driver_set(simulation_folder):
    with pytest.raises(ValueError, match="monthly8 or carbonglobe136 is expected"):
        read_simulation(simulation_folder, "daily")
    path = simulation_folder / "meta.json"
    path.write_text(json.dumps({"start_year": 2001}))
    with pytest.raises(ValueError, match="no key grid_degrees, ages"):
        read_simulation(simulation_folder, "monthly8")
    path.write_text('{"start_year": 20')
    with pytest.raises(ValueError, match=r"meta\.json is no JSON"):
        read_simulation(simulation_folder, "monthly8")
