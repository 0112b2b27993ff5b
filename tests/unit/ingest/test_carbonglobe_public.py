"""Public CarbonGlobe, global arrays: placed, checked, read in blocks; compared with plain NumPy on the whole file."""

import numpy as np
import pytest
import xarray as xr
from carbonglobe_samples import places, write_public

from carbon_closure import closure_residuals
from dere.config.simulation import SimulationSource
from dere.ingest.simulation.carbonglobe_public import read_public
from dere.variables import TARGETS

MONTHLY = SimulationSource()


@pytest.fixture(scope="module")
def monthly(tmp_path_factory):
    """The layout with seasons in its targets, which the public files lack."""
    folder = tmp_path_factory.mktemp("monthly")
    write_public(folder, monthly=True)
    return folder


@pytest.fixture
def public(tmp_path):
    write_public(tmp_path, monthly=True)
    return tmp_path


def test_every_value_is_where_numpy_finds_it(monthly):
    forcing, simulation = read_public(monthly, "carbonglobe136", MONTHLY)
    x, y = np.load(monthly / "glob_X_fea.npy"), np.load(monthly / "glob_Y100.npy")
    lat, lon = places(np.load(monthly / "mask2d.npy"))
    np.testing.assert_array_equal(forcing["lat"], lat)
    np.testing.assert_array_equal(forcing["lon"], lon)
    assert str(forcing["time"].values[0])[:7] == "1981-01" and forcing.sizes["time"] == 24
    flat = x.reshape(len(lat), 24, 136)
    np.testing.assert_allclose(forcing["air_temperature"], flat[..., 0] - 273.15, atol=1e-4)
    for position, name in enumerate(("specific_humidity", "air_temperature", "shortwave", "wind")):
        wanted = flat[..., 33 + position : 129 : 4] - (273.15 if name == "air_temperature" else 0)
        np.testing.assert_allclose(forcing[f"{name}_hourly"], wanted, atol=2e-4)
    np.testing.assert_array_equal(forcing["soil"], x[:, 0, 0, 129:])
    state = simulation["state"].sel(stand="mixture", age=100)
    np.testing.assert_allclose(state.sel(target="gpp"), y[:, 1:, :, 4].reshape(len(lat), 24) * 1000 / 365.25, rtol=1e-6)
    ra = (y[:, 1:, :, 4] - y[:, 1:, :, 5]).reshape(len(lat), 24) * 1000 / 365.25
    np.testing.assert_allclose(state.sel(target="ra"), ra, rtol=1e-5)
    first = simulation["initial_state"].sel(stand="mixture", age=100, target="agb")
    np.testing.assert_array_equal(first, y[:, 0, -1, 1])
    residuals = closure_residuals({name: state.sel(target=name).values for name in TARGETS})
    assert max(np.abs(r).max() for r in residuals.values()) < 1e-5
    assert "plant_fraction" not in simulation and simulation["stand"].values.tolist() == ["mixture"]


def test_blocks_change_nothing(monthly):
    whole = read_public(monthly, "carbonglobe136", MONTHLY)
    blocks = read_public(monthly, "carbonglobe136", MONTHLY, memory=100_000)
    assert blocks[0]["shortwave_hourly"].chunks and blocks[1]["state"].chunks
    assert len(blocks[0]["shortwave_hourly"].chunks[0]) > 3
    for one, other in zip(whole, blocks, strict=True):
        assert not any(variable.chunks for variable in one.variables.values())
        xr.testing.assert_identical(one, other.compute())


@pytest.mark.parametrize(("row_order", "origin"), [("south", -180), ("north", 0), ("south", 0)])
def test_the_mask_may_begin_anywhere(monthly, tmp_path, row_order, origin):
    write_public(tmp_path, monthly=True, row_order=row_order, origin=origin)
    found, _ = read_public(tmp_path, "carbonglobe136", MONTHLY)
    known, _ = read_public(monthly, "carbonglobe136", MONTHLY)
    lat, lon = places(np.load(tmp_path / "mask2d.npy"), row_order, origin)
    np.testing.assert_array_equal(found["lat"], lat)
    np.testing.assert_array_equal(found["lon"], lon)
    assert set(found["cell"].values) == set(known["cell"].values)
    # the same place has the same number, and its season that of its hemisphere
    same = found.sel(cell=known["cell"].values)
    np.testing.assert_array_equal(same["lat"], known["lat"])
    north = same["lat"].values > 30
    july = same["shortwave_hourly"].mean("hour").values[:, 6] > same["shortwave_hourly"].mean("hour").values[:, 0]
    assert july[north].all()


def test_utc_hours_are_shifted_to_local_ones(monthly, tmp_path, caplog):
    write_public(tmp_path, monthly=True, utc=True)
    with caplog.at_level("INFO"):
        shifted, _ = read_public(tmp_path, "carbonglobe136", MONTHLY)
    assert "hours of day are UTC" in caplog.text and "shifted to local" in caplog.text
    local, _ = read_public(monthly, "carbonglobe136", MONTHLY)
    for name in ("shortwave_hourly", "co2_hourly", "wind_hourly"):
        np.testing.assert_allclose(shifted[name], local[name], rtol=1e-6)
    kept, _ = read_public(tmp_path, "carbonglobe136", SimulationSource(hours="keep"))
    np.testing.assert_allclose(
        kept["shortwave_hourly"].isel(cell=0, time=0).roll(hour=2), local["shortwave_hourly"][0, 0]
    )
    assert [forcing.attrs["hours"] for forcing in (local, shifted, kept)] == ["solar", "solar", "utc"]


def test_a_clock_that_fits_no_longitude_is_unknown(public, caplog):
    def later(x):
        for position in range(4):
            x[..., 33 + position : 129 : 4] = np.roll(x[..., 33 + position : 129 : 4], 6, axis=-1)
        return x

    edit(public / "glob_X_fea.npy", later)
    assert read_public(public, "carbonglobe136", MONTHLY)[0].attrs["hours"] == "unknown"
    assert "not clear whether hours are UTC or local" in caplog.text


def test_annual_targets_are_refused_and_states_can_be_kept(tmp_path):
    write_public(tmp_path)
    with pytest.raises(ValueError, match=r"glob_Y\*\.npy: GPP repeats .* 48 of 48 .*cannot be learned.*format: dere"):
        read_public(tmp_path, "carbonglobe136", MONTHLY)
    _, simulation = read_public(tmp_path, "carbonglobe136", SimulationSource(annual_targets="states_only"))
    assert simulation.attrs["fluxes"] == "absent"
    for name in TARGETS:
        missing = np.isnan(simulation["state"].sel(target=name)).all()
        assert bool(missing) == (name in ("gpp", "npp", "rh", "nee", "ra", "reco"))


def test_published_split(monthly):
    forcing, _ = read_public(monthly, "carbonglobe136", MONTHLY)
    role = forcing["published_role"].values.astype(str)
    for name in ("train", "val", "test"):
        listed = [int(line) for line in (monthly / f"{name}.csv").read_text().split()]
        assert np.flatnonzero(role == name).tolist() == sorted(listed) and listed


def test_without_split_files_there_are_no_roles(public):
    for name in ("train", "val", "test"):
        (public / f"{name}.csv").unlink()
    assert "published_role" not in read_public(public, "carbonglobe136", MONTHLY)[0].coords


def test_another_normalisation_is_reported(public, caplog):
    stats = dict(np.load(public / "data_stats.npz"))
    read_public(public, "carbonglobe136", MONTHLY)
    assert "is off that of the arrays" not in caplog.text
    stats["x_mean"][0] += 5.0
    stats["x_std"][1] *= 2.0
    np.savez(public / "data_stats.npz", **stats)
    read_public(public, "carbonglobe136", MONTHLY)
    assert "x_mean of 1 of 136" in caplog.text and "x_std of 1 of 136" in caplog.text


@pytest.mark.parametrize(
    ("key", "value"),
    [("x_mean", np.ones(135)), ("y_std", -np.ones(7)), ("x_std", np.full(136, np.nan))],
)
def test_bad_statistics(public, key, value):
    stats = dict(np.load(public / "data_stats.npz")) | {key: value}
    np.savez(public / "data_stats.npz", **stats)
    with pytest.raises(ValueError, match=rf"data_stats\.npz\[{key}\] has shape"):
        read_public(public, "carbonglobe136", MONTHLY)


def edit(path, change):
    np.save(path, change(np.load(path)))


def four_blocks(x):
    hours = x[..., 33:129].reshape(*x.shape[:3], 24, 4)
    return np.concatenate([x[..., :33], hours.swapaxes(-1, -2).reshape(*x.shape[:3], 96), x[..., 129:]], axis=-1)


def swapped(x):
    out = x.copy()
    out[..., 33:129:4], out[..., 36:129:4] = x[..., 36:129:4], x[..., 33:129:4]
    return out


def hours_in_text_order(x):
    order = sorted(range(24), key=str)
    out = x.copy()
    for position in range(4):
        out[..., 33 + position : 129 : 4] = x[..., 33 + position : 129 : 4][..., order]
    return out


def temperature_in_another_clock(x):
    out = x.copy()
    out[..., 34:129:4] = np.roll(x[..., 34:129:4], 12, axis=-1)
    return out


def with_gap(x):
    out = x.copy()
    out[7, 1, 3, 90] = np.nan
    return out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (four_blocks, "show four blocks of 24 hours .*interleaved by hour are needed"),
        (swapped, "show the order wind, temperature, shortwave, humidity within each hour"),
        (hours_in_text_order, "24 hours are out of order"),
        (temperature_in_another_clock, "air temperature peaks .* h after shortwave"),
        (with_gap, "cell 7 holds NaN"),
        (lambda x: x[:, :, :, :130], r"\(24, years, 12, 136\) is needed"),
        (lambda x: x[:-1], r"\(24, years, 12, 136\) is needed for the 24 cells of mask2d\.npy"),
    ],
)
def test_scrambled_drivers(public, change, message):
    edit(public / "glob_X_fea.npy", change)
    with pytest.raises(ValueError, match=rf"glob_X_fea\.npy.*{message}"):
        read_public(public, "carbonglobe136", MONTHLY)


def test_a_row_order_that_the_sun_contradicts(public):
    """Whoever sets the row order by hand is checked by the seasons of the drivers."""
    with pytest.raises(ValueError, match=r"glob_X_fea\.npy: April to September .* at 0% .*run the other way"):
        read_public(public, "carbonglobe136", SimulationSource(row_order="south"))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("glob_Y100.npy", lambda y: y[:, 1:], r"glob_Y100\.npy has shape .*one year more than the drivers"),
        ("glob_Y100.npy", lambda y: np.where(y == y.max(), np.nan, y), r"glob_Y100\.npy.* holds 12 NaN"),
        ("mask2d.npy", lambda m: m[:, :700], r"24 land cells.*|mask2d\.npy has shape \(360, 700\)"),
        ("mask2d.npy", lambda m: m.astype(float), r"mask2d\.npy holds float64"),
        ("mask2d.npy", np.zeros_like, r"0 cells of mask2d\.npy"),
    ],
)
def test_bad_arrays(public, name, change, message):
    edit(public / name, change)
    with pytest.raises(ValueError, match=message):
        read_public(public, "carbonglobe136", MONTHLY)


@pytest.mark.parametrize("name", ["mask2d.npy", "glob_X_fea.npy", "glob_Y001.npy"])
def test_truncated_and_missing_files(public, name):
    path = public / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=rf"{name}.*truncated"):
        read_public(public, "carbonglobe136", MONTHLY)
    path.unlink()
    if name != "glob_Y001.npy":
        with pytest.raises(FileNotFoundError, match=rf"{name} does not exist"):
            read_public(public, "carbonglobe136", MONTHLY)


def test_no_targets_and_wrong_driver_set(public):
    with pytest.raises(ValueError, match=r"driver_set is 'monthly8', but .* set it to carbonglobe136"):
        read_public(public, "monthly8", MONTHLY)
    for path in public.glob("glob_Y*.npy"):
        path.unlink()
    with pytest.raises(FileNotFoundError, match=r"holds no glob_Y\*\.npy"):
        read_public(public, "carbonglobe136", MONTHLY)


def test_our_own_layout_without_its_meta_is_not_taken_for_the_public_one(public):
    (public / "monthly8.nc").write_bytes(b"")
    with pytest.raises(FileNotFoundError, match=r"meta\.json does not exist, but monthly8\.nc"):
        read_public(public, "carbonglobe136", MONTHLY)
