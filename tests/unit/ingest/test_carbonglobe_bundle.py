"""The float64 bundle of the public CarbonGlobe against what NumPy loads."""

import numpy as np
import pytest
import xarray as xr
from carbonglobe_samples import bundle_places, write_bundle

from dere.config.simulation import SimulationSource
from dere.ingest.simulation.carbonglobe_bundle import AGES, find_bundle, read_bundle

CONFIG = SimulationSource()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_bundle(tmp_path_factory.mktemp("bundle"), monthly=True)


def change(bundle, tmp_path, **arrays):
    path = tmp_path / "res_train4_test8.npz"
    np.savez(path, **(dict(np.load(bundle)) | arrays))
    return path


def table(tmp_path, train=6, test=2):
    rows = [f"{'train' if i < train else 'test'}_cell,{i if i < train else i - train},,{lat},{lon},"
            for i, (lat, lon) in enumerate(bundle_places(train, test))]  # fmt: skip
    path = tmp_path / "coordinates.csv"
    path.write_text("kind,index,id,lat,lon,igbp\n" + "\n".join(rows) + "\n")
    return path


def test_values_and_roles(bundle):
    assert find_bundle(bundle.parent) == bundle
    forcing, simulation = read_bundle(bundle, "carbonglobe136", CONFIG)
    with np.load(bundle) as arrays:
        assert arrays["x_train"].dtype == np.float64
        x = np.concatenate([arrays["x_train"], arrays["x_test"]])
        y = np.concatenate([arrays["y_train"], arrays["y_test"]], axis=1)
    np.testing.assert_allclose(forcing["co2_hourly"], x.reshape(8, 24, 136)[..., 8:32], rtol=1e-6)
    state = simulation["state"].sel(stand="mixture", target="height")
    np.testing.assert_allclose(state, y[:, :, 1:, :, 0].reshape(15, 8, 24).swapaxes(0, 1), rtol=1e-6)
    np.testing.assert_allclose(
        simulation["initial_state"].sel(stand="mixture", target="lai"), y[:, :, 0, -1, 3].T, rtol=1e-6
    )
    assert simulation["age"].values.tolist() == list(AGES) and state.dtype == np.float32
    assert forcing["published_role"].values.tolist() == ["train"] * 6 + ["test"] * 2


def test_without_coordinates_latitude_follows_from_the_sun(bundle, caplog):
    forcing, _ = read_bundle(bundle, "carbonglobe136", CONFIG)
    np.testing.assert_allclose(forcing["lat"], bundle_places()[:, 0], atol=3)
    assert np.isnan(forcing["lon"]).all() and forcing.attrs["grid_degrees"] == 0
    assert "no towers on the grid" in caplog.text


def test_a_table_places_the_cells(bundle, tmp_path):
    config = SimulationSource(coordinates=str(table(tmp_path)), grid_degrees=0.5)
    forcing, _ = read_bundle(bundle, "carbonglobe136", config)
    np.testing.assert_array_equal(np.stack([forcing["lat"], forcing["lon"]], 1), bundle_places())
    row, column = np.divmod(forcing["cell"].values, 720)
    np.testing.assert_allclose(90 - 0.5 * (row + 0.5), forcing["lat"])
    np.testing.assert_allclose(-180 + 0.5 * (column + 0.5), forcing["lon"])


def test_utc_is_shifted_where_longitudes_are_known(bundle, tmp_path):
    config = SimulationSource(coordinates=str(table(tmp_path)))
    utc = write_bundle(tmp_path / "utc", monthly=True, utc=True)
    local, _ = read_bundle(bundle, "carbonglobe136", config)
    shifted, _ = read_bundle(utc, "carbonglobe136", config)
    np.testing.assert_allclose(shifted["shortwave_hourly"], local["shortwave_hourly"], rtol=1e-6)
    kept, _ = read_bundle(utc, "carbonglobe136", config.model_copy(update={"hours": "keep"}))
    placeless, _ = read_bundle(bundle, "carbonglobe136", CONFIG)
    found = [forcing.attrs["hours"] for forcing in (local, shifted, kept, placeless)]
    assert found == ["solar", "solar", "utc", "unknown"]


def test_blocks_change_nothing(bundle):
    whole = read_bundle(bundle, "carbonglobe136", CONFIG)
    blocks = read_bundle(bundle, "carbonglobe136", CONFIG, memory=100_000)
    assert len(blocks[1]["state"].chunks[0]) > 2
    for one, other in zip(whole, blocks, strict=True):
        xr.testing.assert_identical(one, other.compute())


def test_annual_targets(tmp_path):
    path = write_bundle(tmp_path)
    with pytest.raises(ValueError, match=r"res_train4_test8\.npz: GPP repeats .* 120 of 120"):
        read_bundle(path, "carbonglobe136", CONFIG)
    _, simulation = read_bundle(path, "carbonglobe136", SimulationSource(annual_targets="states_only"))
    assert simulation.attrs["fluxes"] == "absent"


def test_shapes_and_keys(bundle, tmp_path):
    with np.load(bundle) as arrays:
        x, y = arrays["x_train"], arrays["y_train"]
    for key, value, message in (
        ("x_train", x[..., :100], r"\[x_train\] has shape .*136"),
        ("y_train", y[:14], r"\[y_train\] has shape .*15 ages"),
        ("y_train", y[:, :, 1:], "one year more than the drivers"),
        ("y_train", np.where(y == y.max(), np.inf, y), "holds 12 NaN or infinite"),
        ("x_train", np.concatenate([x[..., 50:], x[..., :50]], -1), "channels 33 to 128 show"),
    ):
        with pytest.raises(ValueError, match=message):
            read_bundle(change(bundle, tmp_path, **{key: value}), "carbonglobe136", CONFIG)


def test_shortwave_must_follow_some_sun(bundle, tmp_path):
    with np.load(bundle) as arrays:
        x = {key: arrays[key].copy() for key in ("x_train", "x_test")}
    for array in x.values():
        # noon five hours later in every other month: no latitude has such a sun
        array[:, :, ::2, 35:129:4] = np.roll(array[:, :, ::2, 35:129:4], 5, axis=-1)
    with pytest.raises(ValueError, match=r"shortwave follows the sun .*scrambled"):
        read_bundle(change(bundle, tmp_path, **x), "carbonglobe136", CONFIG)


def test_compressed_and_double_bundles(bundle, tmp_path):
    with np.load(bundle) as arrays:
        np.savez_compressed(tmp_path / "res_train4_test8.npz", **arrays)
    with pytest.raises(ValueError, match=r"\[x_train\] is compressed"):
        read_bundle(tmp_path / "res_train4_test8.npz", "carbonglobe136", CONFIG)
    (tmp_path / "copy.npz").write_bytes(bundle.read_bytes())
    with pytest.raises(ValueError, match="holds 2 files with x_train"):
        find_bundle(tmp_path)
    assert find_bundle(tmp_path / "utc") is None


def test_coordinates_of_other_cells(bundle, tmp_path):
    config = SimulationSource(coordinates=str(table(tmp_path, train=5, test=2)))
    with pytest.raises(ValueError, match=r"places 5 rows of kind train_cell, but the arrays have 6"):
        read_bundle(bundle, "carbonglobe136", config)
    with pytest.raises(ValueError, match="set it to carbonglobe136"):
        read_bundle(bundle, "monthly8", CONFIG)
